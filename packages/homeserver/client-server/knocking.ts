/** POST /knock/{roomIdOrAlias}. <https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3knockroomidoralias> */
import * as knocking from '@holdfast/api/generated/client-server/knocking'
import { knockOnRoom } from '../rooms/change-membership.ts'
import { roomIdOf } from '../rooms/resolve-alias.ts'
import { route } from './route.ts'

export const knockRoom = route(knocking.knockRoom, async ({ deps, requester, params, query, body }) => {
  deps.rateLimiter.take({ limit: 'join', key: requester.userId })
  const { roomId, servers } = await roomIdOf(deps, params.roomIdOrAlias, [...query.via, ...query.server_name])
  await knockOnRoom(deps, requester, { roomId, servers, reason: body.reason })
  return { room_id: roomId }
})
