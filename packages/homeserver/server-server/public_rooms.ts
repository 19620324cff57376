/** GET and POST /_matrix/federation/v1/publicRooms. <https://spec.matrix.org/v1.19/server-server-api/#published-room-directory> */
import * as publicRooms from '@holdfast/api/generated/server-server/public_rooms'
import { isObject } from '@holdfast/protocol/json/value'
import { directoryPage } from '../directory/public-rooms.ts'
import { federationRoute } from './route.ts'

export const getPublicRooms = federationRoute(publicRooms.getPublicRooms, async ({ deps, query }) => {
  if (isOfThirdParty(query)) return EMPTY_DIRECTORY
  return directoryPage(deps, { ...pageOf(query), searchTerm: undefined, roomTypes: undefined })
})

/** The token of the page before is null where there was none. */
const operation: typeof publicRooms.queryPublicRooms = {
  ...publicRooms.queryPublicRooms,
  parseBody: (input) =>
    publicRooms.queryPublicRooms.parseBody(
      !(input instanceof Uint8Array) && isObject(input) && input['since'] === null ? { ...input, since: '' } : input,
    ),
}

export const queryPublicRooms = federationRoute(operation, async ({ deps, body }) => {
  if (isOfThirdParty(body)) return EMPTY_DIRECTORY
  const term = body.filter?.generic_search_term
  const searchTerm = term === '' ? undefined : term
  return directoryPage(deps, { ...pageOf(body), searchTerm, roomTypes: body.filter?.room_types })
})

const EMPTY_DIRECTORY = { chunk: [], total_room_count_estimate: 0 }

/** Rooms bridged from a third-party network are none of ours. */
function isOfThirdParty({ third_party_instance_id: network }: { readonly third_party_instance_id?: string }): boolean {
  return network !== undefined && network !== ''
}

/** A limit of 0 is none. */
function pageOf({ limit, since }: { readonly limit?: number; readonly since?: string }): {
  readonly limit: number | undefined
  readonly since: string | undefined
} {
  return { limit: limit === 0 ? undefined : limit, since: since === '' ? undefined : since }
}
