/** What each stage wants to see, and whether it was shown. */
import { isObject, type JsonObject } from '@holdfast/protocol/json/value'
import { matrixError, type Errcode } from '@holdfast/protocol/errors'
import { isOpaqueId } from '@holdfast/protocol/ids/opaque'
import { SPEC_LIMITS } from '@holdfast/protocol/limits'
import { checkPassword } from '../accounts/passwords.ts'
import { foldName, accountName } from '../accounts/username.ts'
import { localpartOf } from '@holdfast/protocol/ids/common'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { addressKey } from '@holdfast/service/rate-limits/address-key'
import { accountOf } from '../storage/accounts.ts'
import { registrationToken } from '../storage/registration-tokens.ts'
import type { AuthSession } from './sessions.ts'
import type { StageType } from './stage-types.ts'

export type StageDeps = Pick<
  Homeserver,
  'db' | 'clock' | 'serverName' | 'settings' | 'passwords' | 'rateLimiter' | 'authSessions'
>

export type StageAttempt = {
  readonly auth: JsonObject
  readonly session: AuthSession
  readonly user: Pick<Requester, 'userId' | 'userNid'> | undefined
  readonly remoteAddress: string
}

/** undefined: the stage is completed. */
export type StageRefusal = { readonly errcode: Errcode; readonly error: string } | undefined

export async function tryStage(deps: StageDeps, stage: StageType, attempt: StageAttempt): Promise<StageRefusal> {
  return STAGES[stage](deps, attempt)
}

const STAGES: Readonly<Record<StageType, (deps: StageDeps, attempt: StageAttempt) => Promise<StageRefusal>>> = {
  'm.login.password': tryPassword,
  'm.login.registration_token': tryRegistrationToken,
  // These only say that the user went on.
  'm.login.dummy': async () => undefined,
  'm.login.terms': async () => undefined,
}

const WRONG_PASSWORD = { errcode: 'M_FORBIDDEN', error: 'The password is wrong.' } as const

/** Only the password of the user who asks counts, whomever the identifier names. */
async function tryPassword(deps: StageDeps, { auth, user, remoteAddress }: StageAttempt): Promise<StageRefusal> {
  const { password } = auth
  if (typeof password !== 'string') return { errcode: 'M_MISSING_PARAM', error: '`auth.password` must be a string.' }
  if (user === undefined) return WRONG_PASSWORD
  requireNamed(deps, auth, user)
  const failures = { limit: 'login_failed', key: `${user.userNid} ${addressKey(remoteAddress)}` } as const
  deps.rateLimiter.check(failures)
  const account = await accountOf(deps.db, user.userNid)
  if ((await checkPassword(deps, account, password)) !== undefined) return undefined
  deps.rateLimiter.count(failures)
  return WRONG_PASSWORD
}

/** An identifier may be left out here; one that is given must be that of the requester. @throws M_FORBIDDEN */
function requireNamed(deps: Pick<StageDeps, 'serverName'>, auth: JsonObject, user: Pick<Requester, 'userId'>): void {
  const { identifier, user: deprecatedUser } = auth
  const name = isObject(identifier) ? (identifier['type'] === 'm.id.user' ? identifier['user'] : '') : deprecatedUser
  if (name === undefined) return
  const own = foldName(localpartOf(user.userId))
  if (typeof name === 'string' && accountName(deps.serverName, name) === own) return
  throw matrixError('M_FORBIDDEN', 'The proof is of another user than the one whose access token this is.')
}

const WRONG_TOKEN = {
  errcode: 'M_UNAUTHORIZED',
  error: 'This registration token is not valid, or not any more.',
} as const

/** Holds one use of the token for the session; the registration itself counts it. */
async function tryRegistrationToken(deps: StageDeps, { auth, session }: StageAttempt): Promise<StageRefusal> {
  const { token } = auth
  if (typeof token !== 'string') return { errcode: 'M_MISSING_PARAM', error: '`auth.token` must be a string.' }
  if (!(await isTokenUsable(deps, token))) return WRONG_TOKEN
  session.registrationToken = token
  return undefined
}

/** Whether one more registration may begin with this token. */
export async function isTokenUsable(
  deps: Pick<StageDeps, 'db' | 'clock' | 'authSessions'>,
  token: string,
): Promise<boolean> {
  if (token.length > SPEC_LIMITS.registrationTokenCharactersMax || !isOpaqueId(token)) return false
  const row = await registrationToken(deps.db, token)
  if (row === undefined) return false
  if (row.expires_ms !== null && row.expires_ms <= deps.clock.nowMs()) return false
  return row.uses_allowed === null || row.uses + deps.authSessions.holding(token) < row.uses_allowed
}
