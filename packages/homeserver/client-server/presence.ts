/** /presence/{userId}/status. <https://spec.matrix.org/v1.19/client-server-api/#presence> */
import * as operations from '@holdfast/api/generated/client-server/presence'
import { matrixError } from '@holdfast/protocol/errors'
import { assertOwn } from '../account-data/checks.ts'
import { presenceContent, STATUS_CHARACTERS_MAX } from '../presence/presence-content.ts'
import { sharingRooms } from '../presence/shared-rooms.ts'
import { route } from './route.ts'

export const setPresence = route(operations.setPresence, async ({ deps, requester, params, body }) => {
  assertOwn(requester, params.userId)
  const { presence: state, status_msg: statusMessage } = body
  if (statusMessage !== undefined && statusMessage.length > STATUS_CHARACTERS_MAX) {
    throw matrixError('M_INVALID_PARAM', `A status message has at most ${STATUS_CHARACTERS_MAX} characters.`)
  }
  deps.rateLimiter.take({ limit: 'presence', key: requester.userId })
  await deps.presence.set(requester, { state, statusMessage })
  return {}
})

export const getPresence = route(operations.getPresence, async ({ deps, requester, params }) => {
  const userNid = params.userId === requester.userId ? requester.userNid : await deps.dictionary.userNid(params.userId)
  if (userNid !== undefined && userNid !== requester.userNid) {
    const rooms = await deps.memberships.of(requester.userNid)
    const shared = await sharingRooms(deps, rooms, new Set([userNid]))
    if (!shared.has(userNid)) throw hidden()
  }
  // Somebody unknown is answered like somebody hidden, or this would tell who has an account.
  if (userNid === undefined) throw hidden()
  return presenceContent(await deps.presence.of(userNid), deps.clock.nowMs())
})

function hidden(): Error {
  return matrixError('M_FORBIDDEN', 'You share no room with this user.')
}
