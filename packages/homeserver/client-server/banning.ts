/** POST /rooms/{roomId}/ban and /unban. <https://spec.matrix.org/v1.19/client-server-api/#banning-users-in-a-room> */
import * as banning from '@holdfast/api/generated/client-server/banning'
import { banFromRoom, unbanFromRoom } from '../rooms/change-membership.ts'
import { route } from './route.ts'

export const ban = route(banning.ban, async ({ deps, requester, params: { roomId }, body }) => {
  await banFromRoom(deps, requester, { roomId, target: body.user_id, reason: body.reason })
  return {}
})

export const unban = route(banning.unban, async ({ deps, requester, params: { roomId }, body }) => {
  await unbanFromRoom(deps, requester, { roomId, target: body.user_id, reason: body.reason })
  return {}
})
