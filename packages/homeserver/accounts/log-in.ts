/** Logging in: with a password, or with a login token. <https://spec.matrix.org/v1.19/client-server-api/#login> */
import { ExpectationFailed } from '@holdfast/platform/database/database'
import { matrixError, type MatrixError } from '@holdfast/protocol/errors'
import type { DeviceId, UserId } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../homeserver.ts'
import { addressKey } from '@holdfast/service/rate-limits/address-key'
import { accountByFoldedName, accountOf, requirePasswordHash, type AccountRow } from '../storage/accounts.ts'
import { takeLoginToken } from '../storage/tokens.ts'
import { accountLocked } from './authenticate.ts'
import { checkPassword } from './passwords.ts'
import { openSession, type Session, type SessionDeps } from './session.ts'
import { tokenHash } from './token.ts'

export type LoginDeps = SessionDeps & Pick<Homeserver, 'passwords' | 'rateLimiter' | 'serverName'>

export type LoginClient = {
  readonly deviceId: DeviceId | undefined
  readonly initialDisplayName: string | undefined
  readonly refreshable: boolean
  readonly remoteAddress: string
}

export type LoggedIn = { readonly userId: UserId; readonly session: Session }

/**
 * A name that nobody has is treated as one with another password, in words, time and counting.
 * @param name as `accountName` gives it; undefined if it cannot be a user of this server
 */
export async function logInWithPassword(
  deps: LoginDeps,
  { name, password }: { readonly name: string | undefined; readonly password: string },
  client: LoginClient,
): Promise<LoggedIn> {
  const address = addressKey(client.remoteAddress)
  const failures = { limit: 'login_failed', key: `${name ?? ''} ${address}` } as const
  deps.rateLimiter.check(failures)
  deps.rateLimiter.take({ limit: 'login_address', key: address }, { limit: 'login_account', key: name ?? '' })
  const account = name === undefined ? undefined : await accountByFoldedName(deps.db, name)
  const passwordHash = await checkPassword(deps, account, password)
  if (account === undefined || passwordHash === undefined) {
    deps.rateLimiter.count(failures)
    throw wrongPassword()
  }
  requireUsable(account)
  // The password may have been changed, or the account ended, since it was checked.
  const stillSo = requirePasswordHash(account.user_nid, passwordHash)
  try {
    const session = await openSession(deps, sessionRequest(account, client), [stillSo])
    return { userId: account.user_id as UserId, session }
  } catch (error) {
    throw error instanceof ExpectationFailed ? wrongPassword() : error
  }
}

function wrongPassword(): MatrixError {
  return matrixError('M_FORBIDDEN', 'The user name or the password is wrong.')
}

/** @throws M_FORBIDDEN unless the token is known, unused and in time */
export async function logInWithToken(deps: LoginDeps, token: string, client: LoginClient): Promise<LoggedIn> {
  deps.rateLimiter.take({ limit: 'login_address', key: addressKey(client.remoteAddress) })
  const hash = tokenHash(token, 'login')
  if (hash === undefined) throw wrongLoginToken()
  const userNid = await takeToken(deps, hash)
  const account = await accountOf(deps.db, userNid)
  if (account === undefined) throw wrongLoginToken()
  requireUsable(account)
  return { userId: account.user_id as UserId, session: await openSession(deps, sessionRequest(account, client)) }
}

async function takeToken(deps: LoginDeps, hash: Uint8Array): Promise<number> {
  try {
    const { results } = await deps.db.commit([takeLoginToken(hash, deps.clock.nowMs())])
    return results[0]!.rows[0]!['user_nid'] as number
  } catch (error) {
    throw error instanceof ExpectationFailed ? wrongLoginToken() : error
  }
}

function wrongLoginToken(): MatrixError {
  return matrixError('M_FORBIDDEN', 'This login token is not valid, or was used already.')
}

/** Told only to who has proved to be the owner. @throws M_USER_DEACTIVATED, M_USER_LOCKED */
function requireUsable(account: AccountRow): void {
  if (account.deactivated_ms !== null) throw matrixError('M_USER_DEACTIVATED', 'This account has been deactivated.')
  if (account.is_locked === 1) throw accountLocked()
}

function sessionRequest(account: AccountRow, client: LoginClient) {
  const { deviceId, initialDisplayName, refreshable } = client
  return { userId: account.user_id as UserId, userNid: account.user_nid, deviceId, initialDisplayName, refreshable }
}
