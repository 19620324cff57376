/** The end of an account: nobody can act as the user again, and the user leaves every room. */
import { ExpectationFailed } from '@holdfast/platform/database/database'
import type { DeviceId, UserId } from '@holdfast/protocol/ids/brand'
import { removeAllDevices } from '../devices/remove-devices.ts'
import type { Homeserver } from '../homeserver.ts'
import { leaveAllRooms } from '../rooms/leave-all-rooms.ts'
import * as storage from '../storage/accounts.ts'
import { deleteLoginTokensOf } from '../storage/tokens.ts'
import { accountRows } from './account-rows.ts'
import { emptyProfile } from './profile.ts'
import type { Requester } from './requester.ts'

/**
 * The name stays taken, so that nobody becomes the user later. Resolves when all is done; what is cut off by a crash is
 * taken up at the next start.
 */
export async function endAccount(
  deps: Homeserver,
  requester: Requester,
  { erase }: { readonly erase: boolean },
): Promise<void> {
  const { userNid } = requester
  const end = storage.deactivateAccount({ userNid, erase, nowMs: deps.clock.nowMs() })
  try {
    await removeAllDevices(deps, { userNid }, [end, deleteLoginTokensOf(userNid), ...accountRows(userNid)])
  } catch (error) {
    // It was deactivated by another request, which does the rest.
    if (error instanceof ExpectationFailed) return
    throw error
  }
  deps.accounts.requesters.forgetUser(userNid)
  // Before the rooms are left, so that the last member events of who wants to be erased carry no name.
  if (erase) {
    deps.accounts.erased.add(userNid)
    await emptyProfile(deps, userNid)
  }
  await leave(deps, requester)
}

async function leave(deps: Homeserver, requester: Requester): Promise<void> {
  await leaveAllRooms(deps, requester)
  await deps.db.commit([storage.hasLeft(requester.userNid)])
}

/** Takes users out of their rooms whose deactivation was cut off. */
export async function finishDepartures(deps: Homeserver): Promise<void> {
  for (const { user_nid: userNid, user_id: userId } of await storage.leavingUsers(deps.db)) {
    await leave(deps, withoutDevice({ userNid, userId: userId as UserId }))
  }
}

/** The server acts for the user: no device of theirs does, and none has this nid. */
export function withoutDevice(user: Pick<Requester, 'userId' | 'userNid'>): Requester {
  return { ...user, deviceId: '' as DeviceId, deviceNid: 0, isGuest: false, isAdmin: false, isSuspended: false }
}
