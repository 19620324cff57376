/** Registration by shared secret, for the tools of an operator: GET and POST /_synapse/admin/v1/register. */
import { operation, type NoBody, type NoParams, type NoQuery, type Operation } from '@holdfast/api/operation'
import { boolean, object, text, union, nothing } from '@holdfast/api/shape'
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

const DESCRIPTION = {
  stem: 'shared_secret_registration',
  api: 'client-server',
  paths: ['/_synapse/admin/v1/register'],
  auth: 'none',
  credential: undefined,
  guests: false,
  rateLimited: false,
  deprecated: false,
  revisions: [],
  params: {},
  absent: {},
  query: {},
} as const

type RegisterBody = {
  readonly nonce: string
  readonly username: string
  readonly password: string
  readonly mac: string
  readonly admin?: boolean
  readonly displayname?: string | null
  readonly user_type?: string | null
  readonly inhibit_login?: boolean
}

const getNonceOperation: Operation<NoParams, NoQuery, NoBody> = operation({
  ...DESCRIPTION,
  id: 'getRegistrationNonce',
  method: 'GET',
  body: undefined,
})

const registerOperation: Operation<NoParams, NoQuery, RegisterBody> = operation({
  ...DESCRIPTION,
  id: 'registerBySharedSecret',
  method: 'POST',
  body: object(
    { nonce: text, username: text, password: text, mac: text },
    {
      admin: boolean,
      displayname: union(text, nothing),
      user_type: union(text, nothing),
      inhibit_login: boolean,
    },
  ),
})

export const getNonce = publicRoute(getNonceOperation, async ({ deps }) => {
  requireSecret(deps)
  return { nonce: deps.registrationNonces.give() }
})

export const registerBySharedSecret = publicRoute(registerOperation, async ({ deps, body }) => {
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
      body.inhibit_login === true
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
