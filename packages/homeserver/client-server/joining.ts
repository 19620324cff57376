/** POST /rooms/{roomId}/join and /join/{roomIdOrAlias}. <https://spec.matrix.org/v1.19/client-server-api/#joining-rooms> */
import * as joining from '@holdfast/api/generated/client-server/joining'
import { joinRoom as join } from '../rooms/change-membership.ts'
import { roomIdOf } from '../rooms/resolve-alias.ts'
import { route } from './route.ts'

export const joinRoomById = route(joining.joinRoomById, async ({ deps, requester, params, body }) => {
  deps.rateLimiter.take({ limit: 'join', key: requester.userId })
  await join(deps, requester, { roomId: params.roomId, reason: body.reason })
  return { room_id: params.roomId }
})

export const joinRoom = route(joining.joinRoom, async ({ deps, requester, params, body }) => {
  deps.rateLimiter.take({ limit: 'join', key: requester.userId })
  const roomId = await roomIdOf(deps, params.roomIdOrAlias)
  await join(deps, requester, { roomId, reason: body.reason })
  return { room_id: roomId }
})
