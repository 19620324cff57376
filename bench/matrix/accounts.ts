/** Creates accounts: by shared-secret registration, or by open registration with the dummy stage. */

import { createHmac, randomBytes } from 'node:crypto'
import type { HttpClient } from '../http/client.ts'
import { RequestFailed, type Session } from './session.ts'

export type Registration = { readonly kind: 'shared-secret'; readonly secret: string } | { readonly kind: 'open' }

type Registered = { user_id: string; access_token: string }
type Credentials = { username: string; password: string }

const ADMIN_REGISTER = '/_synapse/admin/v1/register'
const OPEN_REGISTER = '/_matrix/client/v3/register'

/** Names are unique per run, so that a server can be measured twice on the same data. */
export function createAccounts(client: HttpClient, registration: Registration) {
  const run = randomBytes(4).toString('hex')
  let count = 0
  async function create(role: string): Promise<Session> {
    count += 1
    const credentials = { username: `bench-${run}-${role}-${count}`, password: randomBytes(12).toString('base64url') }
    const registered =
      registration.kind === 'open'
        ? await registerOpenly(client, credentials)
        : await registerWithSecret(client, credentials, registration.secret)
    return { client, userId: registered.user_id, accessToken: registered.access_token }
  }
  return { create }
}

export type Accounts = ReturnType<typeof createAccounts>

async function registerWithSecret(client: HttpClient, credentials: Credentials, secret: string): Promise<Registered> {
  const { nonce } = await exchange<{ nonce: string }>(client, 'GET', ADMIN_REGISTER)
  const { username, password } = credentials
  const mac = registrationMac({ secret, nonce, ...credentials })
  return exchange(client, 'POST', ADMIN_REGISTER, { nonce, username, password, admin: false, mac })
}

/** https://element-hq.github.io/synapse/latest/admin_api/register_api.html */
export function registrationMac(parts: Credentials & { secret: string; nonce: string }): string {
  const message = [parts.nonce, parts.username, parts.password, 'notadmin'].join('\0')
  return createHmac('sha1', parts.secret).update(message).digest('hex')
}

async function registerOpenly(client: HttpClient, credentials: Credentials): Promise<Registered> {
  const first = await client.request({ method: 'POST', target: OPEN_REGISTER, body: JSON.stringify(credentials) })
  if (first.status !== 401) throw new RequestFailed('registration without auth', first)
  const { session } = JSON.parse(first.body.toString('utf8')) as { session: string }
  return exchange(client, 'POST', OPEN_REGISTER, { ...credentials, auth: { type: 'm.login.dummy', session } })
}

async function exchange<Answer>(client: HttpClient, method: 'GET' | 'POST', target: string, body?: object) {
  const response = await client.request({
    method,
    target,
    ...(body === undefined ? {} : { body: JSON.stringify(body) }),
  })
  if (response.status !== 200) throw new RequestFailed(`${method} ${target}`, response)
  return JSON.parse(response.body.toString('utf8')) as Answer
}
