/** Making accounts. */
import { ExpectationFailed, type Statement } from '@holdfast/platform/database/database'
import { matrixError, type MatrixError } from '@holdfast/protocol/errors'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { localpartOf } from '@holdfast/protocol/ids/common'
import type { Homeserver } from '../homeserver.ts'
import { accountByFoldedName, insertAccount, type AccountKind } from '../storage/accounts.ts'
import { foldName } from './username.ts'

export type NewAccount = {
  /** Checked by `newUserId`, unless it comes from elsewhere than a person's choice. */
  readonly userId: UserId
  readonly passwordHash: string | undefined
  readonly kind: AccountKind
  readonly isAdmin: boolean
  /** JSON, policy to version. */
  readonly acceptedTerms?: string | undefined
}

/** The statement that makes the account; it breaks its expectation if the name is taken. */
export async function accountStatement(
  deps: Pick<Homeserver, 'dictionary' | 'clock'>,
  account: NewAccount,
): Promise<{ readonly userNid: number; readonly statement: Statement }> {
  const userNid = await deps.dictionary.internUser(account.userId)
  const statement = insertAccount({
    userNid,
    foldedName: foldName(localpartOf(account.userId)),
    passwordHash: account.passwordHash,
    kind: account.kind,
    isAdmin: account.isAdmin,
    createdMs: deps.clock.nowMs(),
    acceptedTerms: account.acceptedTerms,
  })
  return { userNid, statement }
}

/** An account without a session, as administrators make it. @throws M_USER_IN_USE */
export async function createAccount(
  deps: Pick<Homeserver, 'dictionary' | 'clock' | 'db'>,
  account: NewAccount,
): Promise<number> {
  const { userNid, statement } = await accountStatement(deps, account)
  try {
    await deps.db.commit([statement])
  } catch (error) {
    throw error instanceof ExpectationFailed ? userInUse() : error
  }
  return userNid
}

export function userInUse(): MatrixError {
  return matrixError('M_USER_IN_USE', 'This user name is taken.')
}

/** @throws M_USER_IN_USE */
export async function requireUnused(deps: Pick<Homeserver, 'db'>, userId: UserId): Promise<void> {
  const taken = await accountByFoldedName(deps.db, foldName(localpartOf(userId)))
  if (taken !== undefined) throw userInUse()
}
