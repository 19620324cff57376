/** Taking a user out of everything, when an account ends. */
import { MatrixError } from '@holdfast/protocol/errors'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { leaveRoom, type MembershipDeps } from './change-membership.ts'

/** Leaves joined rooms, refuses invitations, takes back knocks; a room that does not let go is logged and passed over. */
export async function leaveAllRooms(
  deps: MembershipDeps & Pick<Homeserver, 'log'>,
  requester: Requester,
): Promise<void> {
  for (const { roomNid, membership } of (await deps.memberships.of(requester.userNid)).values()) {
    if (membership === 'leave' || membership === 'ban') continue
    const { roomId } = await deps.events.room(roomNid)
    try {
      await leaveRoom(deps, requester, { roomId })
    } catch (error) {
      if (!(error instanceof MatrixError)) throw error
      deps.log.warn({ room: roomId, user: requester.userId, error: error.message }, 'could not leave a room')
    }
  }
}
