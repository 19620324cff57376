/** Locking and suspending accounts. <https://spec.matrix.org/v1.19/client-server-api/#account-moderation> */
import { matrixError } from '@holdfast/protocol/errors'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { Homeserver } from '../homeserver.ts'
import { accountOf, setLocked, setSuspended, type AccountRow } from '../storage/accounts.ts'
import type { Requester } from './requester.ts'

type ModerateDeps = Pick<Homeserver, 'db' | 'accounts' | 'dictionary' | 'serverName'>

/**
 * The account that an administrator asks about. Who asks is looked at before whom they ask about.
 * @throws M_FORBIDDEN, M_INVALID_PARAM, M_NOT_FOUND
 */
export async function moderatedAccount(deps: ModerateDeps, requester: Requester, userId: UserId): Promise<AccountRow> {
  if (!requester.isAdmin) throw matrixError('M_FORBIDDEN', 'You are not an administrator of this server.')
  if (serverNameOf(userId) !== deps.serverName) {
    throw matrixError('M_INVALID_PARAM', 'This user does not belong to this server.')
  }
  const userNid = await deps.dictionary.userNid(userId)
  const account = userNid === undefined ? undefined : await accountOf(deps.db, userNid)
  if (account === undefined || account.deactivated_ms !== null) {
    throw matrixError('M_NOT_FOUND', 'There is no such user here, or not any more.')
  }
  if (account.is_admin === 1) throw matrixError('M_FORBIDDEN', 'Administrators can be neither locked nor suspended.')
  return account
}

export async function lockAccount(deps: ModerateDeps, userNid: number, isLocked: boolean): Promise<void> {
  await deps.db.commit([setLocked({ userNid, isLocked })])
  deps.accounts.requesters.forgetUser(userNid)
}

export async function suspendAccount(deps: ModerateDeps, userNid: number, isSuspended: boolean): Promise<void> {
  await deps.db.commit([setSuspended({ userNid, isSuspended })])
  deps.accounts.requesters.forgetUser(userNid)
}
