/** Passwords: hashed and checked by the platform, refused here when they cannot be a password. */
import { PasswordQueueFull, PasswordTooLong } from '@holdfast/platform/password/password-hasher'
import { matrixError } from '@holdfast/protocol/errors'
import type { Homeserver } from '../homeserver.ts'
import { limitExceeded } from '@holdfast/service/rate-limits/rate-limiter'
import { replacePasswordHash, type AccountRow } from '../storage/accounts.ts'

/** When the queue of passwords to be hashed is full, it is empty again after about this long. */
const QUEUE_RETRY_MS = 5_000

/** @throws M_WEAK_PASSWORD, M_INVALID_PARAM, M_LIMIT_EXCEEDED */
export async function hashPassword(deps: Pick<Homeserver, 'passwords'>, password: string): Promise<string> {
  if (password === '') throw matrixError('M_WEAK_PASSWORD', 'The password is empty.')
  return refusing(() => deps.passwords.hash(password))
}

/**
 * Checks the password of an account. Takes as long where there is no account, or none with a password.
 * @returns the hash that is stored for it now; undefined if it is wrong
 * @throws M_INVALID_PARAM, M_LIMIT_EXCEEDED
 */
export async function checkPassword(
  deps: Pick<Homeserver, 'passwords' | 'db'>,
  account: AccountRow | undefined,
  password: string,
): Promise<string | undefined> {
  const stored = account?.password_hash ?? undefined
  const verdict = await refusing(() => deps.passwords.verify(password, stored))
  if (!verdict.matches || account === undefined || stored === undefined) return undefined
  if (!verdict.needsRehash) return stored
  const after = await hashPassword(deps, password)
  await deps.db.commit([replacePasswordHash({ userNid: account.user_nid, before: stored, after })])
  return after
}

async function refusing<T>(work: () => Promise<T>): Promise<T> {
  try {
    return await work()
  } catch (error) {
    if (error instanceof PasswordTooLong) throw matrixError('M_INVALID_PARAM', error.message)
    if (error instanceof PasswordQueueFull) throw limitExceeded(QUEUE_RETRY_MS)
    throw error
  }
}
