/** POST /knock/{roomIdOrAlias}. <https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3knockroomidoralias> */
import * as knocking from '@holdfast/api/generated/client-server/knocking'
import { knockOnRoom } from '../rooms/change-membership.ts'
import { roomIdOf } from '../rooms/resolve-alias.ts'
import { route } from './route.ts'

export const knockRoom = route(knocking.knockRoom, async ({ deps, requester, params, body }) => {
  deps.rateLimiter.take({ limit: 'join', key: requester.userId })
  const roomId = await roomIdOf(deps, params.roomIdOrAlias)
  await knockOnRoom(deps, requester, { roomId, reason: body.reason })
  return { room_id: roomId }
})
