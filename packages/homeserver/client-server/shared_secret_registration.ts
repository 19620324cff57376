/** Registration by shared secret, for the tools of an operator: GET and POST /_synapse/admin/v1/register. */
import * as operations from '@holdfast/api/extensions/shared_secret_registration'
import { members } from '@holdfast/api/operation'
import { matrixError } from '@holdfast/protocol/errors'
import { changeProfile } from '../accounts/profile.ts'
import { commitRegistration } from '../accounts/commit-registration.ts'
import { requireUnused } from '../accounts/create-account.ts'
import { hashPassword } from '../accounts/passwords.ts'
import { sessionAnswer } from '../accounts/session-answer.ts'
import { isProven } from '../accounts/shared-secret.ts'
import { newUserId } from '../accounts/username.ts'
import type { Homeserver } from '../homeserver.ts'
import { publicRoute } from './route.ts'

export const getRegistrationNonce = publicRoute(operations.getRegistrationNonce, async ({ deps }) => {
  requireSecret(deps)
  return { nonce: deps.registrationNonces.give() }
})

export const registerWithSharedSecret = publicRoute(operations.registerWithSharedSecret, async ({ deps, body }) => {
  const secret = requireSecret(deps)
  const { nonce, username, password, mac, admin = false } = body
  if (!deps.registrationNonces.take(nonce)) throw matrixError('M_FORBIDDEN', 'The nonce is not known, or not any more.')
  if (!isProven(secret, { nonce, username, password, mac, admin, userType: body.user_type ?? undefined })) {
    throw matrixError('M_FORBIDDEN', 'The mac does not fit the request and the shared secret.')
  }
  const userId = newUserId(deps, username)
  await requireUnused(deps, userId)
  const registered = await commitRegistration(deps, {
    userId,
    passwordHash: await hashPassword(deps, password),
    kind: 'user',
    isAdmin: admin,
    registrationToken: undefined,
    acceptedTerms: false,
    session:
      members(body)['inhibit_login'] === true
        ? undefined
        : { deviceId: undefined, initialDisplayName: undefined, refreshable: false },
  })
  const { displayname } = body
  if (typeof displayname === 'string') {
    await changeProfile(deps, registered.userNid, (fields) => ({ ...fields, displayname }))
  }
  return sessionAnswer(deps, userId, registered.session)
})

/** Without a secret there is no such endpoint. */
function requireSecret({ settings }: Pick<Homeserver, 'settings'>): string {
  const secret = settings.registrationSharedSecret
  if (secret === undefined || secret === '') {
    throw matrixError('M_UNRECOGNIZED', 'Registration by shared secret is not enabled on this server.')
  }
  return secret
}
