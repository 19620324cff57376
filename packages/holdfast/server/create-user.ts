/** Accounts made by the operator, whatever the registration settings say. */
import { commitRegistration } from '@holdfast/homeserver/accounts/commit-registration'
import { requireUnused } from '@holdfast/homeserver/accounts/create-account'
import { hashPassword } from '@holdfast/homeserver/accounts/passwords'
import { newUserId } from '@holdfast/homeserver/accounts/username'
import type { Homeserver } from '@holdfast/homeserver/homeserver'
import { matrixError } from '@holdfast/protocol/errors'
import type { UserId } from '@holdfast/protocol/ids/brand'

export type NewUser = { readonly username: string; readonly password: string; readonly isAdmin: boolean }

const PASSWORD_LENGTH_MIN = 8

/** @throws {MatrixError} the name is taken or not allowed, or the password cannot be one */
export async function createUser(homeserver: Homeserver, user: NewUser): Promise<UserId> {
  const userId = newUserId(homeserver, user.username.trim())
  if (user.password.length < PASSWORD_LENGTH_MIN) {
    throw matrixError('M_WEAK_PASSWORD', `The password must have at least ${PASSWORD_LENGTH_MIN} characters.`)
  }
  await requireUnused(homeserver, userId)
  await commitRegistration(homeserver, {
    userId,
    passwordHash: await hashPassword(homeserver, user.password),
    kind: 'user',
    isAdmin: user.isAdmin,
    registrationToken: undefined,
    acceptedTerms: false,
    session: undefined,
  })
  return userId
}
