/** The one commit that makes an account and its first session, and counts the registration token. */
import { ExpectationFailed, type Statement } from '@holdfast/platform/database/database'
import { matrixError, type MatrixError } from '@holdfast/protocol/errors'
import type { DeviceId, UserId } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../homeserver.ts'
import { promoteGuest, type AccountKind } from '../storage/accounts.ts'
import { useRegistrationToken } from '../storage/registration-tokens.ts'
import { accountStatement, userInUse } from './create-account.ts'
import { openSession, type Session, type SessionDeps } from './session.ts'
import type { UpgradingGuest } from './upgrade-guest.ts'

export type RegistrationDeps = SessionDeps & Pick<Homeserver, 'dictionary' | 'settings'>

export type Registration = {
  readonly userId: UserId
  readonly passwordHash: string | undefined
  readonly kind: AccountKind
  readonly isAdmin: boolean
  readonly registrationToken: string | undefined
  /** Who has the account already, as a guest. */
  readonly guest?: UpgradingGuest | undefined
  /** Whether the terms of the settings were accepted on the way. */
  readonly acceptedTerms: boolean
  /** undefined: no session is wanted. */
  readonly session:
    | {
        readonly deviceId: DeviceId | undefined
        readonly initialDisplayName: string | undefined
        readonly refreshable: boolean
      }
    | undefined
}

export type Registered = { readonly userId: UserId; readonly userNid: number; readonly session: Session | undefined }

/** @throws M_USER_IN_USE, M_FORBIDDEN if the registration token was used up meanwhile */
export async function commitRegistration(deps: RegistrationDeps, registration: Registration): Promise<Registered> {
  const { userId, passwordHash, kind, isAdmin } = registration
  const acceptedTerms = registration.acceptedTerms ? termsJson(deps) : undefined
  const account =
    registration.guest === undefined
      ? await accountStatement(deps, { userId, passwordHash, kind, isAdmin, acceptedTerms })
      : guestPromotion(registration.guest, { passwordHash, acceptedTerms })
  const { userNid } = account
  const statements = [account.statement, ...tokenUse(deps, registration.registrationToken)]
  try {
    if (registration.session !== undefined) {
      const session = await openSession(deps, { userId, userNid, ...registration.session }, statements)
      if (registration.guest !== undefined) deps.accounts.requesters.forgetUser(userNid)
      return { userId, userNid, session }
    }
    await deps.db.commit(statements)
    if (registration.guest !== undefined) deps.accounts.requesters.forgetUser(userNid)
    return { userId, userNid, session: undefined }
  } catch (error) {
    throw error instanceof ExpectationFailed ? refusalOf(error) : error
  }
}

function guestPromotion(
  { userNid }: UpgradingGuest,
  { passwordHash, acceptedTerms }: { passwordHash: string | undefined; acceptedTerms: string | undefined },
): { readonly userNid: number; readonly statement: Statement } {
  return { userNid, statement: promoteGuest({ userNid, passwordHash, acceptedTerms }) }
}

function tokenUse(deps: Pick<Homeserver, 'clock'>, token: string | undefined): readonly Statement[] {
  return token === undefined ? [] : [useRegistrationToken(token, deps.clock.nowMs())]
}

function refusalOf({ index }: ExpectationFailed): MatrixError {
  if (index === 0) return userInUse()
  return matrixError('M_FORBIDDEN', 'The registration token was used up by others; ask for another one.')
}

function termsJson({ settings }: Pick<Homeserver, 'settings'>): string {
  return JSON.stringify(Object.fromEntries(settings.terms.map(({ id, version }) => [id, version])))
}
