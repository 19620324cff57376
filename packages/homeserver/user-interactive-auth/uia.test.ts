import assert from 'node:assert/strict'
import test from 'node:test'
import { createManualClock } from '@holdfast/platform/clock/manual-clock'
import { createCryptoRandom } from '@holdfast/platform/random/crypto-random'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../testing/homeserver.ts'
import { limits } from '@holdfast/service/testing/rate-limits'
import { AUTH_SESSION_MS, openAuthSessions } from './sessions.ts'

async function twoDevices(hs: TestHomeserver): Promise<{ ann: TestUser; other: { device_id: string } }> {
  const ann = await hs.user('ann')
  const body = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'ann' }, password: 'secret-ann' }
  return { ann, other: await hs.ok('POST', '/login', { body }) }
}

function password(text: string, more: object = {}): object {
  return { type: 'm.login.password', password: text, ...more }
}

test('the first answer names flows, params and a session, and no error', async () => {
  await using hs = await startTestHomeserver()
  const { ann, other } = await twoDevices(hs)
  const { status, body } = await ann.request('DELETE', `/devices/${other.device_id}`)
  assert.equal(status, 401)
  assert.deepEqual(Object.keys(body).toSorted(), ['flows', 'params', 'session'])
  assert.deepEqual(body.flows, [{ stages: ['m.login.password'] }])
})

test('[UIA4] a flow of one stage may be proved with the request itself, with or without a session', async () => {
  await using hs = await startTestHomeserver()
  const { ann, other } = await twoDevices(hs)
  const target = `/devices/${other.device_id}`
  const { session } = (await ann.request('DELETE', target)).body
  const identifier = { type: 'm.id.user', user: ann.userId }
  await ann.ok('DELETE', target, { auth: password('secret-ann', { session, identifier }) })
  await ann.ok('DELETE', target, { auth: password('secret-ann') })
})

test('a wrong proof is answered with its error, and may be tried again in the same session', async () => {
  await using hs = await startTestHomeserver()
  const { ann, other } = await twoDevices(hs)
  const target = `/devices/${other.device_id}`
  const wrong = await ann.request('DELETE', target, { auth: password('wrong') })
  assert.equal(wrong.status, 401)
  assert.equal(wrong.body.errcode, 'M_FORBIDDEN')
  assert.deepEqual(wrong.body.completed, [])
  await ann.ok('DELETE', target, { auth: password('secret-ann', { session: wrong.body.session }) })
})

test('every broken form of proof is refused with 401 and a usable session', async () => {
  await using hs = await startTestHomeserver()
  const { ann, other } = await twoDevices(hs)
  const target = `/devices/${other.device_id}`
  const proofs = [
    {},
    { type: 'm.login.password' },
    { type: 'm.login.password', password: '' },
    { type: 'm.login.password', password: 7 },
    { type: 'm.login.dummy' },
    { type: 'm.login.terms' },
    { type: 'm.login.unheard-of' },
    { type: '__proto__' },
    { session: 'unknown' },
    { type: 'm.login.password', password: 'secret-ann', session: 'unknown' },
    { type: 'm.login.password', password: 'secret-ann', session: '' },
  ]
  for (const auth of proofs) {
    const { status, body } = await ann.request('DELETE', target, { auth })
    assert.equal(status, 401, JSON.stringify(auth))
    assert.equal(typeof body.session, 'string')
  }
  const devices = await ann.ok('GET', '/devices')
  assert.equal(devices.devices.length, 2)
})

test('[UIA2] a session of another endpoint, target, body or user is refused with 403', async () => {
  await using hs = await startTestHomeserver()
  const { ann, other } = await twoDevices(hs)
  const bob = await hs.user('bob')
  const sessionOf = async (target: string): Promise<string> => (await ann.request('DELETE', target)).body.session
  const use = async (user: TestUser, method: string, target: string, body: object): Promise<number> =>
    (await user.request(method, target, body)).status

  const auth = async () => password('secret-ann', { session: await sessionOf(`/devices/${other.device_id}`) })
  assert.equal(await use(ann, 'DELETE', '/devices/OTHER', { auth: await auth() }), 403)
  assert.equal(await use(ann, 'POST', '/account/deactivate', { auth: await auth() }), 403)
  assert.equal(await use(bob, 'DELETE', `/devices/${other.device_id}`, { auth: await auth() }), 403)

  const begun = (await ann.request('POST', '/delete_devices', { devices: ['NONE'] })).body.session
  const proof = password('secret-ann', { session: begun })
  assert.equal(await use(ann, 'POST', '/delete_devices', { devices: [other.device_id], auth: proof }), 403)
  assert.equal((await ann.ok('GET', '/devices')).devices.length, 2)
})

test('[UIA2] the order of keys does not make another body', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const begun = await ann.request('POST', '/account/password', { new_password: 'n', logout_devices: false })
  const auth = password('secret-ann', { session: begun.body.session })
  await ann.ok('POST', '/account/password', { logout_devices: false, auth, new_password: 'n' })
})

test('[UIA3] a session that did its work is not known any more', async () => {
  await using hs = await startTestHomeserver()
  const { ann, other } = await twoDevices(hs)
  const target = `/devices/${other.device_id}`
  const { session } = (await ann.request('DELETE', target)).body
  await ann.ok('DELETE', target, { auth: password('secret-ann', { session }) })
  const again = await ann.request('DELETE', target, { auth: password('secret-ann', { session }) })
  assert.equal(again.status, 401)
  assert.notEqual(again.body.session, session)
})

test('[UIA3] of simultaneous requests with one session one acts', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const { session } = (await hs.request('POST', '/_matrix/client/v1/login/get_token', { token: ann.token, body: {} }))
    .body
  const auth = password('secret-ann', { session })
  const answers = await Promise.all(
    Array.from({ length: 20 }, () =>
      hs.request('POST', '/_matrix/client/v1/login/get_token', { token: ann.token, body: { auth } }),
    ),
  )
  assert.equal(answers.filter(({ status }) => status === 200).length, 1)
})

test("[UIA5] another user's right password is no proof", async () => {
  await using hs = await startTestHomeserver()
  const { ann, other } = await twoDevices(hs)
  await hs.user('eve')
  const auth = password('secret-eve', { identifier: { type: 'm.id.user', user: '@eve:example.org' } })
  const stolen = await ann.request('DELETE', `/devices/${other.device_id}`, { auth })
  assert.equal(stolen.status, 403)
  const unnamed = await ann.request('DELETE', `/devices/${other.device_id}`, { auth: password('secret-eve') })
  assert.equal(unnamed.status, 401)
})

test('[UIA6] wrong passwords in authentication use up the failed logins of the account', async () => {
  await using hs = await startTestHomeserver({
    clock: createManualClock(),
    settings: { rateLimits: limits({ login_failed: { perSecond: 0.1, burst: 3 } }) },
  })
  const { ann, other } = await twoDevices(hs)
  for (let attempt = 0; attempt < 3; attempt += 1) {
    const { status } = await ann.request('DELETE', `/devices/${other.device_id}`, { auth: password('wrong') })
    assert.equal(status, 401)
  }
  const limited = await ann.request('DELETE', `/devices/${other.device_id}`, { auth: password('secret-ann') })
  assert.equal(limited.status, 429)
  assert.equal(limited.body.retry_after_ms, 10_000)
})

test('[UIA7] a registration that could not be made leaves its session as it was', async () => {
  await using hs = await startTestHomeserver({ settings: { terms: [POLICY] } })
  const body = { username: 'ann', password: 'secret' }
  const begun = await hs.request('POST', '/register', { body })
  await hs.ok('POST', '/register', { body: { ...body, auth: { type: 'm.login.terms' } } })
  const auth = { type: 'm.login.terms', session: begun.body.session }
  for (let attempt = 0; attempt < 2; attempt += 1) {
    const late = await hs.request('POST', '/register', { body: { ...body, auth } })
    assert.equal(late.body.errcode, 'M_USER_IN_USE')
  }
})

const POLICY = {
  id: 'privacy',
  version: '1.2',
  translations: { en: { name: 'Privacy <b>', url: 'https://example.org/privacy' } },
}

test('stages must be completed in their order', async () => {
  await using hs = await startTestHomeserver({ settings: { registration: 'token', terms: [POLICY] } })
  const body = { username: 'ann', password: 'secret' }
  const begun = await hs.request('POST', '/register', { body })
  assert.deepEqual(begun.body.flows, [{ stages: ['m.login.registration_token', 'm.login.terms'] }])
  assert.deepEqual(begun.body.params, {
    'm.login.terms': { policies: { privacy: { version: '1.2', ...POLICY.translations } } },
  })
  const auth = { type: 'm.login.terms', session: begun.body.session }
  const skipped = await hs.request('POST', '/register', { body: { ...body, auth } })
  assert.equal(skipped.status, 401)
  assert.deepEqual(skipped.body.completed, [])
})

test('[UIA1] sessions end after an hour, and the oldest go when there are too many', async () => {
  const clock = createManualClock()
  const sessions = openAuthSessions({ clock, random: createCryptoRandom() })
  const open = () => sessions.open({ operation: 'x', user: undefined, flows: [], bodyHash: undefined, body: {} })
  const first = open()
  assert.equal(sessions.find(first.id), first)
  await clock.advance(AUTH_SESSION_MS)
  assert.equal(sessions.find(first.id), undefined)
  const second = open()
  for (let count = 0; count < 10_000; count += 1) open()
  assert.equal(sessions.find(second.id), undefined)
})

test('[UIA1] a session of before a restart is answered with a fresh one', async () => {
  await using hs = await startTestHomeserver()
  const { ann, other } = await twoDevices(hs)
  const target = `/devices/${other.device_id}`
  const { session } = (await ann.request('DELETE', target)).body
  await hs.restart()
  const lost = await ann.request('DELETE', target, { auth: password('secret-ann', { session }) })
  assert.equal(lost.status, 401)
  await ann.ok('DELETE', target, { auth: password('secret-ann', { session: lost.body.session }) })
})
