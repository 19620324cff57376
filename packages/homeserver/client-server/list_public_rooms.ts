/** /publicRooms and /directory/list/room/{roomId}. <https://spec.matrix.org/v1.19/client-server-api/#published-room-directory> */
import * as list_public_rooms from '@holdfast/api/generated/client-server/list_public_rooms'
import { matrixError } from '@holdfast/protocol/errors'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { authenticate } from '../accounts/authenticate.ts'
import { maySetCanonicalAlias } from '../directory/aliases.ts'
import { withoutNullToken } from '../directory/null-token.ts'
import { directoryPage } from '../directory/public-rooms.ts'
import { remoteDirectoryPage } from '../federation/remote-queries/remote-directory.ts'
import type { Homeserver } from '../homeserver.ts'
import { deletePublishedRoom, insertPublishedRoom, publishedRoom } from '../storage/published-rooms.ts'
import type { Endpoint } from '../http/endpoint.ts'
import { publicRoute, route } from './route.ts'

export const getRoomVisibilityOnDirectory = publicRoute(
  list_public_rooms.getRoomVisibilityOnDirectory,
  async ({ deps, params }) => {
    const roomNid = await deps.heads.roomNid(params.roomId)
    if (roomNid === undefined) throw matrixError('M_NOT_FOUND', 'No room with this id is known here.')
    return { visibility: (await publishedRoom(deps.db, roomNid)) === undefined ? 'private' : 'public' }
  },
)

export const setRoomVisibilityOnDirectory = route(
  list_public_rooms.setRoomVisibilityOnDirectory,
  async ({ deps, requester, params, body }) => {
    const head = await deps.heads.byId(params.roomId)
    if (head === undefined) throw matrixError('M_NOT_FOUND', 'No room with this id is known here.')
    if (!requester.isAdmin && !(await maySetCanonicalAlias(deps, head, requester))) {
      throw matrixError('M_FORBIDDEN', 'Publishing a room needs the power level of its canonical alias.')
    }
    const isPublic = (body.visibility ?? 'public') === 'public'
    await deps.db.commit([isPublic ? insertPublishedRoom(head.roomNid) : deletePublishedRoom(head.roomNid)])
    return {}
  },
)

export const getPublicRooms = publicRoute(list_public_rooms.getPublicRooms, async ({ deps, query, request }) => {
  const page = { limit: query.limit, since: query.since, searchTerm: undefined, roomTypes: undefined }
  const server = otherServer(deps, query.server)
  if (server === undefined) return directoryPage(deps, page)
  // Only users may make us ask other servers.
  if ((await authenticate(deps, request)) === undefined) {
    throw matrixError('M_MISSING_TOKEN', 'The rooms of other servers need an access token.')
  }
  return remoteDirectoryPage(deps, server, { ...page, includeAllNetworks: undefined, thirdPartyInstanceId: undefined })
})

const strictQuery = route(list_public_rooms.queryPublicRooms, async ({ deps, query, body }) => {
  const { third_party_instance_id: network, include_all_networks: includeAllNetworks } = body
  const term = body.filter?.generic_search_term
  const page = {
    limit: body.limit,
    since: body.since === '' ? undefined : body.since,
    searchTerm: term === '' ? undefined : term,
    roomTypes: body.filter?.room_types,
  }
  const thirdPartyInstanceId = network === '' ? undefined : network
  const server = otherServer(deps, query.server)
  if (server !== undefined) {
    return remoteDirectoryPage(deps, server, { ...page, includeAllNetworks, thirdPartyInstanceId })
  }
  // Rooms bridged from a third-party network are none of ours.
  if (thirdPartyInstanceId !== undefined) return { chunk: [], total_room_count_estimate: 0 }
  return directoryPage(deps, page)
})

/** Clients send the token of the page before, which is null where there was none. */
export const queryPublicRooms: Endpoint = {
  ...strictQuery,
  answer: (deps, request, rawParams) => strictQuery.answer(deps, withoutNullToken(request), rawParams),
}

function otherServer(deps: Homeserver, named: ServerName | undefined): ServerName | undefined {
  return named === deps.serverName ? undefined : named
}
