/** Forgetting a room that was left: it is in no sync and no history of the user any more. */
import { ExpectationFailed } from '@holdfast/platform/database/database'
import { matrixError } from '@holdfast/protocol/errors'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { forgetMembership, membershipInRoom, membershipOfCode } from '../storage/memberships.ts'

/** @throws {MatrixError} M_UNKNOWN (400) while the user is in the room or invited, M_NOT_FOUND for a room never seen */
export async function forgetRoom(
  deps: Pick<Homeserver, 'db' | 'heads' | 'memberships'>,
  requester: Requester,
  roomId: RoomId,
): Promise<void> {
  const roomNid = await deps.heads.roomNid(roomId)
  const who = { roomNid: roomNid ?? 0, userNid: requester.userNid }
  const row = await membershipInRoom(deps.db, who)
  if (row === undefined) throw matrixError('M_NOT_FOUND', 'You were never in this room.')
  const membership = membershipOfCode(row.membership)
  if (membership !== 'leave' && membership !== 'ban') throw stillInRoom()
  try {
    await deps.db.commit([forgetMembership(who)])
  } catch (error) {
    // The user came back while we looked.
    if (error instanceof ExpectationFailed) throw stillInRoom()
    throw error
  }
  deps.memberships.changed(requester.userNid)
}

function stillInRoom(): Error {
  return matrixError('M_UNKNOWN', 'Leave the room before you forget it.', { status: 400 })
}
