/**
 * Registration with a shared secret, the protocol of Synapse's documentation that existing tools rely on:
 * fetch a nonce, then send it with an HMAC over nonce, name, password and admin flag.
 */

import { operation, type NoBody, type NoParams, type NoQuery, type Operation } from '../operation.ts'
import { boolean, nothing, object, text, union } from '../shape.ts'

const described = {
  stem: 'shared_secret_registration',
  api: 'client-server',
  paths: ['/_synapse/admin/v1/register'],
  auth: 'none',
  credential: undefined,
  guests: false,
  rateLimited: true,
  deprecated: false,
  revisions: [],
  params: {},
  absent: {},
  query: {},
} as const

export const getRegistrationNonce: Operation<NoParams, NoQuery, NoBody> = operation({
  ...described,
  id: 'getRegistrationNonce',
  method: 'GET',
  body: undefined,
})

export type RegisterWithSharedSecretBody = {
  readonly nonce: string
  readonly username: string
  readonly password: string
  /** HMAC-SHA1 in hexadecimal. */
  readonly mac: string
  readonly admin?: boolean
  readonly displayname?: string | null
  readonly user_type?: string | null
}

export const registerWithSharedSecret: Operation<NoParams, NoQuery, RegisterWithSharedSecretBody> = operation({
  ...described,
  id: 'registerWithSharedSecret',
  method: 'POST',
  body: object(
    { nonce: text, username: text, password: text, mac: text },
    { admin: boolean, displayname: union(text, nothing), user_type: union(text, nothing) },
  ),
})
