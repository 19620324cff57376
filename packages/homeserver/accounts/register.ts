/** Registration: what is asked for, and what becomes of it. */
import type { RegisterBody } from '@holdfast/api/generated/client-server/registration'
import { members } from '@holdfast/api/operation'
import { matrixError } from '@holdfast/protocol/errors'
import { localpartOf } from '@holdfast/protocol/ids/common'
import type { Homeserver } from '../homeserver.ts'
import { accountOf } from '../storage/accounts.ts'
import type { Authorized } from '../user-interactive-auth/authorize.ts'
import type { Flow, StageType } from '../user-interactive-auth/stage-types.ts'
import { commitRegistration, type RegistrationDeps, type Registered } from './commit-registration.ts'
import { logInWithPassword, type LoggedIn, type LoginDeps } from './log-in.ts'
import { hashPassword } from './passwords.ts'
import { upgradingGuest } from './upgrade-guest.ts'
import { foldName, generatedUserId, guestUserId, newUserId } from './username.ts'
import type { UserId } from '@holdfast/protocol/ids/brand'

type RegisterDeps = RegistrationDeps & Pick<Homeserver, 'authSessions' | 'passwords' | 'serverName'>

/** The ways to an account that the settings allow. @throws M_FORBIDDEN if there is none */
export function registrationFlows({ settings }: Pick<Homeserver, 'settings'>): readonly Flow[] {
  if (settings.registration === 'closed') {
    throw matrixError('M_FORBIDDEN', 'This server does not register new accounts; ask its administrator for one.')
  }
  const stages: StageType[] = settings.registration === 'token' ? ['m.login.registration_token'] : []
  if (settings.terms.length > 0) stages.push('m.login.terms')
  return [stages.length > 0 ? stages : ['m.login.dummy']]
}

/** Makes the account that was authorized; the authentication can be used again if it cannot be made. */
export async function registerUser(deps: RegisterDeps, wanted: RegisterBody, proof: Authorized): Promise<Registered> {
  try {
    const userId = wanted.username === undefined ? generatedUserId(deps) : newUserId(deps, wanted.username)
    const registered = await commitRegistration(deps, {
      userId,
      guest: await upgradingGuest(deps, members(wanted), userId),
      passwordHash: await hashPassword(deps, requirePassword(wanted)),
      kind: 'user',
      isAdmin: false,
      registrationToken: proof.session.registrationToken,
      acceptedTerms: proof.session.completed.includes('m.login.terms'),
      session: wanted.inhibit_login === true ? undefined : wantedSession(wanted),
    })
    // The session stays, so that who lost the answer and sends the request again is told the same user.
    proof.finish(registered.userNid)
    return registered
  } catch (error) {
    proof.release()
    throw error
  }
}

/** The same request again, after it was done: another session for its user, for the password that made it. */
export async function repeatRegistration(
  deps: LoginDeps,
  wanted: RegisterBody,
  { registeredNid, remoteAddress }: { readonly registeredNid: number; readonly remoteAddress: string },
): Promise<LoggedIn | { readonly userId: UserId; readonly session: undefined }> {
  const account = await accountOf(deps.db, registeredNid)
  const userId = account?.user_id as UserId
  const name = account === undefined ? undefined : foldName(localpartOf(userId))
  if (wanted.inhibit_login === true) return { userId, session: undefined }
  return logInWithPassword(
    deps,
    { name, password: requirePassword(wanted) },
    { ...wantedSession(wanted), remoteAddress },
  )
}

/** Guests have no password and no name of their own. <https://spec.matrix.org/v1.19/client-server-api/#guest-access> */
export async function registerGuest(deps: RegisterDeps, wanted: RegisterBody): Promise<Registered> {
  if (deps.settings.guests !== true) {
    throw matrixError('M_GUEST_ACCESS_FORBIDDEN', 'This server does not admit guests; register an account.')
  }
  return commitRegistration(deps, {
    userId: guestUserId(deps),
    passwordHash: undefined,
    kind: 'guest',
    isAdmin: false,
    registrationToken: undefined,
    acceptedTerms: false,
    session: { ...wantedSession(wanted), deviceId: undefined, refreshable: false },
  })
}

function requirePassword({ password }: RegisterBody): string {
  if (password === undefined) throw matrixError('M_MISSING_PARAM', '`password` is missing.')
  return password
}

function wantedSession(wanted: RegisterBody) {
  return {
    deviceId: wanted.device_id,
    initialDisplayName: wanted.initial_device_display_name,
    refreshable: wanted.refresh_token === true,
  }
}
