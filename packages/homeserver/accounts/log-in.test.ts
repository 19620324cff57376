import assert from 'node:assert/strict'
import test from 'node:test'
import { createManualClock } from '@holdfast/platform/clock/manual-clock'
import { startTestHomeserver, type TestHomeserver, type TestResponse, type TestUser } from '../testing/homeserver.ts'
import { limits } from '@holdfast/service/testing/rate-limits'
import { logInWithPassword } from './log-in.ts'

function logIn(hs: TestHomeserver, body: object, address?: string): Promise<TestResponse> {
  const sent = { type: 'm.login.password', password: 'secret-ann', ...body }
  return hs.request('POST', '/login', { body: sent, ...(address === undefined ? {} : { address }) })
}

const user = (name: string) => ({ identifier: { type: 'm.id.user', user: name } })

test('a user is named by localpart or user id, in the present form and in that of 2018', async () => {
  await using hs = await startTestHomeserver({ settings: { publicBaseUrl: 'https://chat.example.org' } })
  await hs.user('ann')
  const forms = [user('ann'), user('@ann:example.org'), user('Ann'), { user: 'ann' }, { user: '@ann:example.org' }]
  for (const form of forms) {
    const { status, body } = await logIn(hs, form)
    assert.equal(status, 200, JSON.stringify(form))
    assert.equal(body.user_id, '@ann:example.org')
    assert.deepEqual(body.well_known, { 'm.homeserver': { base_url: 'https://chat.example.org' } })
  }
})

test('the flows that are listed are those that work', async () => {
  await using hs = await startTestHomeserver()
  const { flows } = await hs.ok('GET', '/login')
  assert.deepEqual(flows, [{ type: 'm.login.password' }, { type: 'm.login.token', get_login_token: true }])
})

test('[ACC30] whoever cannot log in is told the same', async () => {
  await using hs = await startTestHomeserver()
  await hs.user('ann')
  const forms = [
    { ...user('ann'), password: 'wrong' },
    { ...user('ann'), password: '' },
    user('nobody'),
    user('@ann:elsewhere.org'),
    user('@nobody'),
    user(''),
    user('ann\0'),
    user('__proto__'),
    { identifier: { type: 'm.id.thirdparty', medium: 'email', address: 'ann@example.org' } },
    { identifier: { medium: 'email', address: 'ann@example.org', type: 'm.id.thirdparty' } },
    { identifier: { type: 'm.id.phone', country: 'GB', phone: '07700900001' } },
    { medium: 'email', address: 'ann@example.org' },
  ]
  const bodies = new Set<string>()
  for (const form of forms) {
    const { status, body } = await logIn(hs, form)
    assert.equal(status, 403, JSON.stringify(form))
    bodies.add(JSON.stringify(body))
  }
  assert.equal(bodies.size, 1)
})

test('[ACC30] an unknown user costs the same one verification as a wrong password', async () => {
  await using hs = await startTestHomeserver()
  await hs.user('ann')
  const verified: string[] = []
  const passwords: typeof hs.parts.passwords = {
    hash: (password) => hs.parts.passwords.hash(password),
    verify: (password, stored) => {
      verified.push(stored === undefined ? 'nobody' : 'somebody')
      return hs.parts.passwords.verify(password, stored)
    },
  }
  const client = { deviceId: undefined, initialDisplayName: undefined, refreshable: false, remoteAddress: '::1' }
  for (const name of ['ann', 'nobody', undefined]) {
    await assert.rejects(logInWithPassword({ ...hs.parts, passwords }, { name, password: 'wrong' }, client))
  }
  assert.deepEqual(verified, ['somebody', 'nobody', 'nobody'])
})

test('malformed logins are 400 with the code that fits', async () => {
  await using hs = await startTestHomeserver()
  const cases: readonly (readonly [object, string])[] = [
    [{}, 'M_MISSING_PARAM'],
    [{ ...user('ann'), password: undefined }, 'M_MISSING_PARAM'],
    [{ ...user('ann'), password: 7 }, 'M_BAD_JSON'],
    [{ identifier: { type: 'm.id.user' } }, 'M_MISSING_PARAM'],
    [{ identifier: { type: 'm.id.user', user: ['ann'] } }, 'M_INVALID_PARAM'],
    [{ identifier: { type: 'm.id.phone', country: 'GB' } }, 'M_MISSING_PARAM'],
    [{ identifier: { type: 'm.id.unheard-of' } }, 'M_UNKNOWN'],
    [{ type: 'm.login.unheard-of' }, 'M_UNKNOWN'],
    [{ type: 'm.login.token' }, 'M_MISSING_PARAM'],
    [{ ...user('ann'), device_id: 'a\0' }, 'M_INVALID_PARAM'],
  ]
  for (const [form, errcode] of cases) {
    const { status, body } = await logIn(hs, form)
    assert.deepEqual([status, body.errcode], [400, errcode], JSON.stringify(form))
  }
})

test('[ACC5] a device that is logged in to again keeps its name and loses its old tokens', async () => {
  await using hs = await startTestHomeserver()
  await hs.user('ann')
  const form = { ...user('ann'), device_id: 'PHONE', initial_device_display_name: 'one', refresh_token: true }
  const first = (await logIn(hs, form)).body
  const second = (await logIn(hs, { ...form, initial_device_display_name: 'two' })).body
  assert.equal((await hs.request('GET', '/account/whoami', { token: first.access_token })).status, 401)
  assert.equal((await hs.request('POST', '/refresh', { body: { refresh_token: first.refresh_token } })).status, 401)
  const { devices } = await hs.ok('GET', '/devices', { token: second.access_token })
  assert.deepEqual(
    devices
      .map((device: { device_id: string; display_name?: string }) => [device.device_id, device.display_name])
      .slice(1),
    [['PHONE', 'one']],
  )
})

test('[ACC5] simultaneous logins to one new device make one device, whose last tokens work', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const answers = await Promise.all(Array.from({ length: 10 }, () => logIn(hs, { ...user('ann'), device_id: 'NEW' })))
  assert.ok(answers.every(({ status }) => status === 200))
  const alive = await Promise.all(
    answers.map(({ body }) => hs.request('GET', '/account/whoami', { token: body.access_token })),
  )
  assert.equal(alive.filter(({ status }) => status === 200).length, 1)
  assert.equal((await ann.ok('GET', '/devices')).devices.length, 2)
})

async function getToken(hs: TestHomeserver, ann: TestUser): Promise<string> {
  const body = { auth: { type: 'm.login.password', password: 'secret-ann' } }
  const answer = await hs.ok('POST', '/_matrix/client/v1/login/get_token', { token: ann.token, body })
  assert.equal(answer.expires_in_ms, 120_000)
  return answer.login_token
}

function tokenLogin(hs: TestHomeserver, token: string): Promise<TestResponse> {
  return hs.request('POST', '/login', { body: { type: 'm.login.token', token } })
}

test('[ACC9] of a hundred simultaneous logins with one login token one succeeds', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const token = await getToken(hs, ann)
  const answers = await Promise.all(Array.from({ length: 100 }, () => tokenLogin(hs, token)))
  const won = answers.filter(({ status }) => status === 200)
  assert.equal(won.length, 1)
  assert.equal(won[0]!.body.user_id, ann.userId)
  assert.ok(answers.every(({ status, body }) => status === 200 || body.errcode === 'M_FORBIDDEN'))
})

test('[ACC9] a login token ends after two minutes, with a password change and with logout everywhere', async () => {
  const clock = createManualClock()
  await using hs = await startTestHomeserver({ clock })
  const ann = await hs.user('ann')
  const late = await getToken(hs, ann)
  await clock.advance(120_000)
  assert.equal((await tokenLogin(hs, late)).status, 403)
  const changed = await getToken(hs, ann)
  const auth = { type: 'm.login.password', password: 'secret-ann' }
  await ann.ok('POST', '/account/password', { new_password: 'secret-ann', logout_devices: false, auth })
  assert.equal((await tokenLogin(hs, changed)).status, 403)
  const out = await getToken(hs, ann)
  await ann.ok('POST', '/logout/all')
  assert.equal((await tokenLogin(hs, out)).status, 403)
})

test('[ACC2] every kind of token is refused where another kind is expected', async () => {
  await using hs = await startTestHomeserver({ settings: { registration: 'open', registrationSharedSecret: 's' } })
  const ann = await hs.user('ann')
  const body = { type: 'm.login.password', user: 'ann', password: 'secret-ann', refresh_token: true }
  const { access_token: access, refresh_token: refresh } = await hs.ok('POST', '/login', { body })
  const login = await getToken(hs, ann)
  const { session } = (await ann.request('DELETE', '/devices/X')).body
  const { nonce } = await hs.ok('GET', '/_synapse/admin/v1/register')
  for (const token of [refresh, login, session, nonce]) {
    assert.equal((await hs.request('GET', '/account/whoami', { token })).status, 401)
    assert.equal((await hs.request('GET', `/account/whoami?access_token=${token}`)).status, 401)
  }
  for (const token of [access, login, session, nonce]) {
    assert.equal((await hs.request('POST', '/refresh', { body: { refresh_token: token } })).status, 401)
  }
  for (const token of [access, refresh, session, nonce]) assert.equal((await tokenLogin(hs, token)).status, 403)
})

test('[ACC31] failed logins use up the tries of the account from that address, and come back at the time that was told', async () => {
  const clock = createManualClock()
  const rateLimits = limits({ login_failed: { perSecond: 0.1, burst: 3 } })
  await using hs = await startTestHomeserver({ clock, settings: { rateLimits } })
  await hs.user('ann')
  for (const name of ['ann', 'Ann', '@ann:example.org']) {
    assert.equal((await logIn(hs, { ...user(name), password: 'wrong' }, '2001:db8::1')).status, 403)
  }
  const limited = await logIn(hs, user('ann'), '2001:db8::ffff')
  assert.equal(limited.status, 429)
  assert.equal(limited.body.errcode, 'M_LIMIT_EXCEEDED')
  assert.equal(limited.body.retry_after_ms, 10_000)
  assert.equal(limited.headers['retry-after'], '10')
  // The owner, elsewhere, is not locked out.
  assert.equal((await logIn(hs, user('ann'), '2001:db8:1::1')).status, 200)
  await clock.advance(9_999)
  assert.equal((await logIn(hs, user('ann'), '2001:db8::1')).status, 429)
  await clock.advance(1)
  assert.equal((await logIn(hs, user('ann'), '2001:db8::1')).status, 200)
})

test('[ACC31] unknown names are counted as known ones are', async () => {
  const rateLimits = limits({ login_failed: { perSecond: 0.1, burst: 2 } })
  await using hs = await startTestHomeserver({ clock: createManualClock(), settings: { rateLimits } })
  const statuses: number[] = []
  for (let attempt = 0; attempt < 3; attempt += 1) statuses.push((await logIn(hs, user('nobody'))).status)
  assert.deepEqual(statuses, [403, 403, 429])
})

test('logins are limited per address and per account', async () => {
  const rate = { perSecond: 1, burst: 2 }
  for (const settings of [
    { rateLimits: limits({ login_address: rate }) },
    { rateLimits: limits({ login_account: rate }) },
  ]) {
    await using hs = await startTestHomeserver({ clock: createManualClock(), settings })
    await hs.user('ann')
    const statuses = []
    for (let count = 0; count < 3; count += 1) statuses.push((await logIn(hs, user('ann'))).status)
    assert.deepEqual(statuses, [200, 200, 429])
  }
})

test('[ACC33] a login whose password was checked before a change of it does not succeed after', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const { passwords } = hs.parts
  let change: Promise<unknown> | undefined
  const slow: typeof passwords = {
    hash: (password) => passwords.hash(password),
    verify: async (password, stored) => {
      const verdict = await passwords.verify(password, stored)
      const auth = { type: 'm.login.password', password: 'secret-ann' }
      change ??= ann.ok('POST', '/account/password', { new_password: 'new', auth })
      await change
      return verdict
    },
  }
  const client = { deviceId: undefined, initialDisplayName: undefined, refreshable: false, remoteAddress: '::1' }
  const late = logInWithPassword({ ...hs.parts, passwords: slow }, { name: 'ann', password: 'secret-ann' }, client)
  await assert.rejects(late, { errcode: 'M_FORBIDDEN' })
  assert.equal((await ann.ok('GET', '/devices')).devices.length, 1)
})
