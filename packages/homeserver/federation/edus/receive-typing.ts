/** `m.typing` of other servers. <https://spec.matrix.org/v1.19/server-server-api/#typing-notifications> */
import { matrixError } from '@holdfast/protocol/errors'
import { TIME_LIMITS } from '@holdfast/protocol/limits'
import type { EduReceiver } from './receive-edus.ts'
import { malformed, memberNid, requireOwnUser, sharedRoom } from './edu-origin.ts'

/** Other servers do not say for how long, and one that goes away says nothing any more. */
const TYPING_MS = TIME_LIMITS.typingMsMax

export const receiveTyping: EduReceiver = async (deps, origin, content) => {
  const { room_id: roomId, user_id: rawUser, typing } = content
  if (typeof typing !== 'boolean') throw malformed('`typing` must be true or false.')
  const userId = requireOwnUser(origin, rawUser)
  const head = await sharedRoom(deps, origin, roomId)
  const userNid = head === undefined ? undefined : await memberNid(deps, head, userId)
  if (head === undefined || userNid === undefined) throw matrixError('M_FORBIDDEN', 'The user is not in the room.')
  const user = { roomNid: head.roomNid, userNid }
  await (typing ? deps.typing.begin(user, TYPING_MS) : deps.typing.end(user))
}
