import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import test from 'node:test'
import { createManualClock } from '@holdfast/platform/clock/manual-clock'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { insertRegistrationToken } from '../storage/registration-tokens.ts'
import { startTestHomeserver, type TestHomeserver, type TestResponse } from '../testing/homeserver.ts'

const DUMMY = { type: 'm.login.dummy' }

function register(hs: TestHomeserver, body: object): Promise<TestResponse> {
  return hs.request('POST', '/register', { body: { password: 'secret', auth: DUMMY, ...body } })
}

test('an account can be registered on r0, v1 and v3 alike', async () => {
  await using hs = await startTestHomeserver()
  for (const version of ['r0', 'v1', 'v3']) {
    const body = { username: `ann-${version}`, password: 'secret', auth: DUMMY, bind_email: false }
    const registered = await hs.ok('POST', `/_matrix/client/${version}/register`, { body })
    assert.equal(registered.user_id, `@ann-${version}:example.org`)
    assert.equal(registered.home_server, 'example.org')
    assert.equal(
      (await hs.ok('GET', '/account/whoami', { token: registered.access_token })).user_id,
      registered.user_id,
    )
  }
})

test('the device id, its name and a refresh token are given as asked for', async () => {
  await using hs = await startTestHomeserver()
  const wanted = { device_id: 'xyzzy', initial_device_display_name: 'phone \0 \u{1f4f1}', refresh_token: true }
  const { body } = await register(hs, { username: 'ann', ...wanted })
  assert.equal(body.device_id, 'xyzzy')
  assert.equal(body.expires_in_ms, 3_600_000)
  assert.equal(typeof body.refresh_token, 'string')
  const device = await hs.ok('GET', '/devices/xyzzy', { token: body.access_token })
  assert.equal(device.display_name, wanted.initial_device_display_name)
})

test('inhibit_login makes an account without a device', async () => {
  await using hs = await startTestHomeserver()
  const { body } = await register(hs, { username: 'ann', inhibit_login: true })
  assert.deepEqual(body, { user_id: '@ann:example.org', home_server: 'example.org' })
})

test('without a user name one is made up', async () => {
  await using hs = await startTestHomeserver()
  const first = await register(hs, {})
  const second = await register(hs, {})
  assert.match(first.body.user_id, /^@[a-z0-9]+:example\.org$/)
  assert.notEqual(first.body.user_id, second.body.user_id)
})

test('names outside the grammar are M_INVALID_USERNAME, before and after authentication', async () => {
  await using hs = await startTestHomeserver()
  const names = [
    '',
    ' ',
    'a b',
    'é',
    'ann@x',
    '@ann',
    'ann:example.org',
    'an!n',
    'a\n',
    'a\0',
    'a'.repeat(256),
    'ａnn',
    '\u212a',
  ]
  for (const username of names) {
    for (const auth of [DUMMY, undefined]) {
      const { status, body } = await register(hs, { username, auth })
      assert.deepEqual([status, body.errcode], [400, 'M_INVALID_USERNAME'], JSON.stringify(username))
    }
  }
})

test('the longest user id has 255 bytes', async () => {
  await using hs = await startTestHomeserver()
  const room = 255 - '@:example.org'.length
  assert.equal((await register(hs, { username: 'a'.repeat(room) })).status, 200)
  assert.equal((await register(hs, { username: 'b'.repeat(room + 1) })).body.errcode, 'M_INVALID_USERNAME')
})

test('a name that is taken is refused at once, and told by `available`', async () => {
  await using hs = await startTestHomeserver()
  await hs.user('ann')
  const begun = await hs.request('POST', '/register', { body: { username: 'Ann', password: 'x' } })
  assert.deepEqual([begun.status, begun.body.errcode], [400, 'M_USER_IN_USE'])
  const available = (name: string) => hs.request('GET', `/register/available?username=${name}`)
  assert.equal((await available('ANN')).body.errcode, 'M_USER_IN_USE')
  assert.equal((await available('a%00')).body.errcode, 'M_INVALID_USERNAME')
  assert.deepEqual((await available('bob')).body, { available: true })
  assert.equal((await hs.request('GET', '/register/available')).body.errcode, 'M_MISSING_PARAM')
})

test('[ACC20] of 200 simultaneous registrations of one name in four cases one succeeds', async () => {
  await using hs = await startTestHomeserver()
  const names = ['twin', 'TWIN', 'Twin', 'tWiN']
  const answers = await Promise.all(
    Array.from({ length: 200 }, (_, index) => register(hs, { username: names[index % 4], password: `p${index % 3}` })),
  )
  assert.equal(answers.filter(({ status }) => status === 200).length, 1)
  for (const { status, body } of answers)
    if (status !== 200) assert.match(body.errcode, /M_USER_IN_USE|M_LIMIT_EXCEEDED/)
})

test('[ACC20] a name differing from a historical one by case alone is taken', async () => {
  await using hs = await startTestHomeserver()
  const { createAccount } = await import('./create-account.ts')
  const old = {
    userId: '@Old User:example.org' as UserId,
    passwordHash: undefined,
    kind: 'user',
    isAdmin: false,
  } as const
  await createAccount(hs.parts, old)
  await createAccount(hs.parts, { ...old, userId: '@ANN:example.org' as UserId })
  assert.equal((await register(hs, { username: 'ann' })).body.errcode, 'M_USER_IN_USE')
})

test('names of application services are M_EXCLUSIVE', async () => {
  await using hs = await startTestHomeserver({ settings: { isExclusiveUser: (id) => id.startsWith('@irc_') } })
  const { status, body } = await register(hs, { username: 'IRC_ann' })
  assert.deepEqual([status, body.errcode], [400, 'M_EXCLUSIVE'])
  assert.equal((await hs.request('GET', '/register/available?username=irc_x')).body.errcode, 'M_EXCLUSIVE')
})

test('[ACC22] a registration sent again in its session answers the same user with a new session', async () => {
  await using hs = await startTestHomeserver()
  for (const first of [{ password: 'secret' }, { username: 'ann', password: 'secret' }]) {
    const begun = await hs.request('POST', '/register', { body: first })
    const body = { ...first, auth: { ...DUMMY, session: begun.body.session } }
    const registered = await hs.ok('POST', '/register', { body })
    const again = await hs.ok('POST', '/register', { body })
    assert.equal(again.user_id, registered.user_id)
    assert.notEqual(again.access_token, registered.access_token)
    const other = await hs.request('POST', '/register', { body: { ...body, password: 'guess' } })
    assert.equal(other.status, 403)
  }
})

test('parameters of the first request count where only `auth` is sent again', async () => {
  await using hs = await startTestHomeserver()
  const first = { username: 'ann', password: 'übers3kr1t', device_id: 'xyzzy' }
  const begun = await hs.request('POST', '/register', { body: first })
  const registered = await hs.ok('POST', '/register', { body: { auth: { ...DUMMY, session: begun.body.session } } })
  assert.deepEqual([registered.user_id, registered.device_id], ['@ann:example.org', 'xyzzy'])
  await hs.ok('POST', '/login', { body: { type: 'm.login.password', user: 'ann', password: 'übers3kr1t' } })
})

test('who begins with an empty body may go on with a full one', async () => {
  await using hs = await startTestHomeserver()
  const begun = await hs.request('POST', '/register', { body: {} })
  const { status } = await register(hs, { username: 'ann', auth: { ...DUMMY, session: begun.body.session } })
  assert.equal(status, 200)
})

test('a closed server registers nobody', async () => {
  await using hs = await startTestHomeserver({ settings: { registration: 'closed' } })
  assert.equal((await register(hs, { username: 'ann' })).body.errcode, 'M_FORBIDDEN')
  const validity = '/_matrix/client/v1/register/m.login.registration_token/validity?token=x'
  assert.equal((await hs.request('GET', validity)).status, 403)
})

async function giveToken(hs: TestHomeserver, uses: number, lifetimeMs?: number): Promise<string> {
  const createdMs = hs.parts.clock.nowMs()
  const expiresMs = lifetimeMs === undefined ? undefined : createdMs + lifetimeMs
  await hs.parts.db.commit([insertRegistrationToken({ token: 'fBVFdqVE', usesAllowed: uses, createdMs, expiresMs })])
  return 'fBVFdqVE'
}

async function registerWithToken(hs: TestHomeserver, username: string, token: string): Promise<TestResponse> {
  return register(hs, { username, auth: { type: 'm.login.registration_token', token } })
}

test('a registration token admits as long as it is valid', async () => {
  const clock = createManualClock()
  await using hs = await startTestHomeserver({ clock, settings: { registration: 'token' } })
  const token = await giveToken(hs, 2, 1000)
  const validity = async (asked: string): Promise<boolean> =>
    (await hs.ok('GET', `/_matrix/client/v1/register/m.login.registration_token/validity?token=${asked}`)).valid
  assert.equal(await validity(token), true)
  assert.equal(await validity('unknown'), false)
  assert.equal(await validity('%00'), false)
  assert.equal((await register(hs, { username: 'a' })).status, 401)
  assert.equal((await registerWithToken(hs, 'a', 'unknown')).body.errcode, 'M_UNAUTHORIZED')
  assert.equal((await registerWithToken(hs, 'a', token)).status, 200)
  await clock.advance(1000)
  assert.equal(await validity(token), false)
  assert.equal((await registerWithToken(hs, 'b', token)).status, 401)
})

test('[ACC21] fifty simultaneous registrations with a token of five uses make five accounts', async () => {
  await using hs = await startTestHomeserver({ settings: { registration: 'token' } })
  const token = await giveToken(hs, 5)
  const answers = await Promise.all(Array.from({ length: 50 }, (_, index) => registerWithToken(hs, `u${index}`, token)))
  assert.equal(answers.filter(({ status }) => status === 200).length, 5)
  for (const { status } of answers) assert.ok([200, 401, 403, 429].includes(status), String(status))
})

test('[ACC21] who has shown the token but has more to do keeps one use of it', async () => {
  const terms = [{ id: 'privacy', version: '3', translations: {} }]
  await using hs = await startTestHomeserver({ settings: { registration: 'token', terms } })
  const token = await giveToken(hs, 1)
  const slow = await registerWithToken(hs, 'slow', token)
  assert.deepEqual(slow.body.completed, ['m.login.registration_token'])
  assert.equal((await registerWithToken(hs, 'fast', token)).body.errcode, 'M_UNAUTHORIZED')
  const auth = { type: 'm.login.terms', session: slow.body.session }
  assert.equal((await register(hs, { username: 'slow', auth })).status, 200)
})

test('[ACC25] the version of each accepted policy is stored', async () => {
  const terms = [{ id: 'privacy', version: '3', translations: {} }]
  await using hs = await startTestHomeserver({ settings: { terms } })
  assert.equal((await register(hs, { username: 'ann', auth: { type: 'm.login.terms' } })).status, 200)
  const { sql } = await import('@holdfast/platform/database/sql')
  const stored = await hs.parts.db.column<string>(sql`SELECT accepted_terms FROM accounts ORDER BY user_nid`)
  assert.deepEqual(stored, ['{"privacy":"3"}'])
})

test('[ACC23] guests are admitted only where the settings say so', async () => {
  await using closed = await startTestHomeserver()
  const refused = await closed.request('POST', '/register?kind=guest', { body: {} })
  assert.deepEqual([refused.status, refused.body.errcode], [403, 'M_GUEST_ACCESS_FORBIDDEN'])
  await using open = await startTestHomeserver({ settings: { guests: true } })
  const guest = await open.ok('POST', '/register?kind=guest', { body: { username: 'ann' } })
  assert.match(guest.user_id, /^@guest-/)
  assert.equal((await open.ok('GET', '/account/whoami', { token: guest.access_token })).is_guest, true)
  const capabilities = await open.request('GET', '/capabilities', { token: guest.access_token })
  assert.equal(capabilities.body.errcode, 'M_GUEST_ACCESS_FORBIDDEN')
  assert.equal((await open.request('POST', '/register?kind=robot', { body: {} })).status, 400)
})

async function sharedSecret(
  hs: TestHomeserver,
  parts: { username: string; admin?: boolean; secret?: string; nonce?: string },
) {
  const nonce = parts.nonce ?? (await hs.ok('GET', '/_synapse/admin/v1/register')).nonce
  const admin = parts.admin ?? false
  const signed = [nonce, parts.username, 'secret', admin ? 'admin' : 'notadmin'].join('\0')
  const mac = createHmac('sha1', parts.secret ?? 'shared')
    .update(signed)
    .digest('hex')
  const body = { nonce, username: parts.username, password: 'secret', admin, mac }
  return { nonce, answer: await hs.request('POST', '/_synapse/admin/v1/register', { body }) }
}

test('[ACC24] a tool that knows the shared secret registers users and administrators', async () => {
  await using hs = await startTestHomeserver({
    settings: { registrationSharedSecret: 'shared', registration: 'closed' },
  })
  const { answer } = await sharedSecret(hs, { username: 'Root', admin: true })
  assert.equal(answer.body.user_id, '@root:example.org')
  assert.equal((await sharedSecret(hs, { username: 'us,er' })).answer.body.errcode, 'M_INVALID_USERNAME')
  assert.equal((await sharedSecret(hs, { username: 'root' })).answer.body.errcode, 'M_USER_IN_USE')
})

test('[ACC24] wrong secrets, used and made-up nonces are refused; without a secret nothing is there', async () => {
  const clock = createManualClock()
  await using hs = await startTestHomeserver({ clock, settings: { registrationSharedSecret: 'shared' } })
  assert.equal((await sharedSecret(hs, { username: 'a', secret: 'guess' })).answer.status, 403)
  const { nonce, answer } = await sharedSecret(hs, { username: 'a' })
  assert.equal(answer.status, 200)
  assert.equal((await sharedSecret(hs, { username: 'b', nonce })).answer.status, 403)
  assert.equal((await sharedSecret(hs, { username: 'b', nonce: '__proto__' })).answer.status, 403)
  const { nonce: late } = await hs.ok('GET', '/_synapse/admin/v1/register')
  await clock.advance(60_000)
  assert.equal((await sharedSecret(hs, { username: 'b', nonce: late })).answer.status, 403)
  await using off = await startTestHomeserver()
  const nothing = await off.request('GET', '/_synapse/admin/v1/register')
  assert.deepEqual([nothing.status, nothing.body.errcode], [404, 'M_UNRECOGNIZED'])
  assert.equal((await off.request('POST', '/_synapse/admin/v1/register', { body: {} })).status, 400)
})

test('malformed registrations are 400 with the code that fits', async () => {
  await using hs = await startTestHomeserver()
  const cases: readonly (readonly [unknown, string])[] = [
    ['{', 'M_NOT_JSON'],
    ['[]', 'M_BAD_JSON'],
    ['"x"', 'M_BAD_JSON'],
    [new Uint8Array([0x7b, 0xff, 0x7d]), 'M_NOT_JSON'],
    ['{"username":"\\ud800"}', 'M_BAD_JSON'],
    ['{"username":"a","username":"b"}', 'M_BAD_JSON'],
    [{ username: 7 }, 'M_BAD_JSON'],
    [{ password: null }, 'M_BAD_JSON'],
    [{ auth: 'x' }, 'M_BAD_JSON'],
    [{ auth: { type: 7 } }, 'M_BAD_JSON'],
    [{ device_id: '' }, 'M_INVALID_PARAM'],
    [{ inhibit_login: 1 }, 'M_BAD_JSON'],
    [`${'['.repeat(1000)}${']'.repeat(1000)}`, 'M_BAD_JSON'],
  ]
  for (const [body, errcode] of cases) {
    const answer = await hs.request('POST', '/register', { body })
    assert.deepEqual([answer.status, answer.body.errcode], [400, errcode], JSON.stringify(body))
  }
})
