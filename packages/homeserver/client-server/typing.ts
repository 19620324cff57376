/** PUT /rooms/{roomId}/typing/{userId}. <https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidtypinguserid> */
import * as typing from '@holdfast/api/generated/client-server/typing'
import { assertOwn } from '../account-data/checks.ts'
import { joinedRoom } from '../rooms/room-access.ts'
import { route } from './route.ts'

const TIMEOUT_MS_DEFAULT = 30_000
const TIMEOUT_MS_MAX = 120_000

export const setTyping = route(typing.setTyping, async ({ deps, requester, params, body }) => {
  assertOwn(requester, params.userId)
  const { userNid } = requester
  const { roomNid } = await joinedRoom(deps, { userNid, roomId: params.roomId })
  const timeoutMs = Math.min(body.timeout ?? TIMEOUT_MS_DEFAULT, TIMEOUT_MS_MAX)
  deps.presence.active(userNid)
  // 2018 clients may send 1 and 0; who types for no time at all does not type.
  if (Boolean(body.typing) && timeoutMs > 0) await deps.typing.begin({ roomNid, userNid }, timeoutMs)
  else await deps.typing.end({ roomNid, userNid })
  return {}
})
