/** POST /rooms/{roomId}/kick. <https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidkick> */
import * as kicking from '@holdfast/api/generated/client-server/kicking'
import { kickFromRoom } from '../rooms/change-membership.ts'
import { route } from './route.ts'

export const kick = route(kicking.kick, async ({ deps, requester, params: { roomId }, body }) => {
  await kickFromRoom(deps, requester, { roomId, target: body.user_id, reason: body.reason })
  return {}
})
