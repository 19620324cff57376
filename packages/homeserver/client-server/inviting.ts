/** POST /rooms/{roomId}/invite. <https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidinvite> */
import * as inviting from '@holdfast/api/generated/client-server/inviting'
import { matrixError } from '@holdfast/protocol/errors'
import { inviteToRoom } from '../rooms/change-membership.ts'
import { route } from './route.ts'

export const inviteUser = route(inviting.inviteUser, async ({ deps, requester, params: { roomId }, body }) => {
  if (!('user_id' in body)) {
    throw matrixError('M_UNRECOGNIZED', 'Invitations by e-mail or phone are not available on this server.', {
      status: 400,
    })
  }
  deps.rateLimiter.take({ limit: 'invite_per_room', key: roomId })
  deps.rateLimiter.take({ limit: 'invite_per_user', key: body.user_id })
  await inviteToRoom(deps, requester, { roomId, target: body.user_id, reason: body.reason })
  return {}
})
