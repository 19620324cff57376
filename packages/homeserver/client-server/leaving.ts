/** POST /rooms/{roomId}/leave and /forget. <https://spec.matrix.org/v1.19/client-server-api/#leaving-rooms> */
import * as leaving from '@holdfast/api/generated/client-server/leaving'
import { leaveRoom as leave } from '../rooms/change-membership.ts'
import { forgetRoom as forget } from '../rooms/forget-room.ts'
import { route } from './route.ts'

export const leaveRoom = route(leaving.leaveRoom, async ({ deps, requester, params, body }) => {
  await leave(deps, requester, { roomId: params.roomId, reason: body.reason })
  return {}
})

export const forgetRoom = route(leaving.forgetRoom, async ({ deps, requester, params }) => {
  await forget(deps, requester, params.roomId)
  return {}
})
