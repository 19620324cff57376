/** POST /rooms/{roomId}/join and /join/{roomIdOrAlias}. <https://spec.matrix.org/v1.19/client-server-api/#joining-rooms> */
import * as joining from '@holdfast/api/generated/client-server/joining'
import { members } from '@holdfast/api/operation'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { joinRoom as join } from '../rooms/change-membership.ts'
import { assertEventContent } from '../rooms/event-content.ts'
import { roomIdOf } from '../rooms/resolve-alias.ts'
import { route } from './route.ts'

export const joinRoomById = route(joining.joinRoomById, async ({ deps, requester, params, body }) => {
  deps.rateLimiter.take({ limit: 'join', key: requester.userId })
  await join(deps, requester, { roomId: params.roomId, reason: body.reason, content: contentOf(members(body)) })
  return { room_id: params.roomId }
})

export const joinRoom = route(joining.joinRoom, async ({ deps, requester, params, query, body }) => {
  deps.rateLimiter.take({ limit: 'join', key: requester.userId })
  const { roomId, servers } = await roomIdOf(deps, params.roomIdOrAlias, [...query.via, ...query.server_name])
  await join(deps, requester, { roomId, servers, reason: body.reason, content: contentOf(members(body)) })
  return { room_id: roomId }
})

/** Members of a body that say something else than what the member event is to hold. */
const NOT_CONTENT = new Set(['third_party_signed', 'reason', 'membership', 'join_authorised_via_users_server'])

/** What the body says beyond the specification goes into the member event, as clients of bots and bridges expect. */
function contentOf(body: JsonObject): JsonObject {
  const kept = Object.entries(body).filter(([key]) => !NOT_CONTENT.has(key))
  return assertEventContent(Object.fromEntries(kept))
}
