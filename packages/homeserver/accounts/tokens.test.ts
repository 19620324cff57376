import assert from 'node:assert/strict'
import test from 'node:test'
import { createManualClock } from '@holdfast/platform/clock/manual-clock'
import { sql } from '@holdfast/platform/database/sql'
import { createCryptoRandom } from '@holdfast/platform/random/crypto-random'
import { setLocked } from '../storage/accounts.ts'
import { startTestHomeserver, type TestHomeserver, type TestResponse } from '../testing/homeserver.ts'
import { newToken } from './token.ts'

function whoami(hs: TestHomeserver, token: string): Promise<TestResponse> {
  return hs.request('GET', '/account/whoami', { token })
}

test('[ACC1] tokens are long, named by kind, and different', () => {
  const random = createCryptoRandom()
  const tokens = new Set(Array.from({ length: 10_000 }, () => newToken(random, 'access')))
  assert.equal(tokens.size, 10_000)
  for (const token of tokens) assert.match(token, /^hfa_[A-Za-z0-9]{43}$/)
})

test('[ACC3] empty, doubled and foreign authorization is refused with 401', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const asks: readonly (readonly [string, string | undefined, string])[] = [
    ['/account/whoami', undefined, 'M_MISSING_TOKEN'],
    ['/account/whoami', 'Bearer ', 'M_MISSING_TOKEN'],
    ['/account/whoami', 'Bearer', 'M_MISSING_TOKEN'],
    ['/account/whoami', '', 'M_MISSING_TOKEN'],
    ['/account/whoami', 'Basic YTpi', 'M_MISSING_TOKEN'],
    ['/account/whoami', ann.token, 'M_MISSING_TOKEN'],
    ['/account/whoami?access_token=', undefined, 'M_MISSING_TOKEN'],
    ['/account/whoami?access_token', undefined, 'M_MISSING_TOKEN'],
    [`/account/whoami?access_token=${ann.token}&access_token=x`, undefined, 'M_MISSING_TOKEN'],
    [`/account/whoami?access_token=${ann.token}`, 'Bearer x', 'M_MISSING_TOKEN'],
    ['/account/whoami?access_token=an/invalid/token', undefined, 'M_UNKNOWN_TOKEN'],
    ['/account/whoami', 'Bearer hfa_', 'M_UNKNOWN_TOKEN'],
    ['/account/whoami', `Bearer ${ann.token}x`, 'M_UNKNOWN_TOKEN'],
    ['/account/whoami', `Bearer ${ann.token.toLowerCase()}`, 'M_UNKNOWN_TOKEN'],
    ['/account/whoami', `Bearer hfa_${'x'.repeat(100_000)}`, 'M_UNKNOWN_TOKEN'],
    ['/account/whoami', 'Bearer __proto__', 'M_UNKNOWN_TOKEN'],
  ]
  for (const [target, authorization, errcode] of asks) {
    const headers = authorization === undefined ? {} : { authorization }
    const { status, body } = await hs.request('GET', target, { headers })
    assert.deepEqual([status, body.errcode, body.soft_logout], [401, errcode, undefined], `${target} ${authorization}`)
  }
})

test('an access token is taken from the header or the query', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  await hs.ok('GET', `/account/whoami?access_token=${ann.token}`)
  await hs.ok('GET', '/account/whoami', { headers: { authorization: `bearer  ${ann.token}` } })
  await hs.ok('GET', `/account/whoami?access_token=${ann.token}`, { token: ann.token })
})

test('[ACC4] after logout the token is refused, the device is gone, and others go on', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const { body } = await hs.request('POST', '/login', {
    body: { type: 'm.login.password', user: 'ann', password: 'secret-ann', refresh_token: true },
  })
  assert.equal((await whoami(hs, body.access_token)).status, 200)
  await hs.ok('POST', '/logout', { token: body.access_token, body: {} })
  assert.deepEqual((await whoami(hs, body.access_token)).body.errcode, 'M_UNKNOWN_TOKEN')
  assert.equal((await hs.request('POST', '/refresh', { body: { refresh_token: body.refresh_token } })).status, 401)
  assert.equal((await ann.ok('GET', '/devices')).devices.length, 1)
  await hs.restart()
  assert.equal((await whoami(hs, body.access_token)).status, 401)
  assert.equal((await whoami(hs, ann.token)).status, 200)
})

test('[ACC4] logout everywhere ends every session, refresh tokens included', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const other = await hs.ok('POST', '/login', {
    body: { type: 'm.login.password', user: 'ann', password: 'secret-ann', refresh_token: true },
  })
  await whoami(hs, other.access_token)
  await ann.ok('POST', '/logout/all')
  for (const token of [ann.token, other.access_token]) assert.equal((await whoami(hs, token)).status, 401)
  assert.equal((await hs.request('POST', '/refresh', { body: { refresh_token: other.refresh_token } })).status, 401)
})

test('[ACC4] a token read from storage while it is revoked does not stay in the cache', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  await hs.restart()
  const reads = Array.from({ length: 50 }, () => whoami(hs, ann.token))
  const out = ann.ok('POST', '/logout')
  await Promise.all([...reads, out])
  assert.equal((await whoami(hs, ann.token)).status, 401)
})

type Tokens = { access_token: string; refresh_token: string; expires_in_ms: number }

async function refreshable(hs: TestHomeserver): Promise<Tokens> {
  const body = { username: 'ann', password: 'secret', refresh_token: true, auth: { type: 'm.login.dummy' } }
  return hs.ok('POST', '/register', { body })
}

function refresh(hs: TestHomeserver, token: string): Promise<TestResponse> {
  return hs.request('POST', '/refresh', { body: { refresh_token: token } })
}

test('[ACC6] an access token that expired is refused with soft_logout, and can be refreshed', async () => {
  const clock = createManualClock()
  await using hs = await startTestHomeserver({ clock })
  const first = await refreshable(hs)
  const never = await hs.user('bob')
  await clock.advance(3_599_999)
  assert.equal((await whoami(hs, first.access_token)).status, 200)
  await clock.advance(1)
  const expired = await whoami(hs, first.access_token)
  assert.deepEqual([expired.status, expired.body.errcode, expired.body.soft_logout], [401, 'M_UNKNOWN_TOKEN', true])
  const second = (await refresh(hs, first.refresh_token)).body
  assert.equal(second.expires_in_ms, 3_600_000)
  assert.equal((await whoami(hs, second.access_token)).status, 200)
  await clock.advance(365 * 24 * 3_600_000)
  assert.equal((await whoami(hs, never.token)).status, 200)
})

test('[ACC7] until a new token is used the old ones work, and the refresh can be asked for again', async () => {
  await using hs = await startTestHomeserver()
  const first = await refreshable(hs)
  const lost = (await refresh(hs, first.refresh_token)).body
  assert.equal((await whoami(hs, first.access_token)).status, 200)
  const second = (await refresh(hs, first.refresh_token)).body
  assert.equal((await whoami(hs, lost.access_token)).status, 401)
  assert.equal((await refresh(hs, lost.refresh_token)).status, 401)
  assert.equal((await whoami(hs, second.access_token)).status, 200)
  assert.equal((await whoami(hs, first.access_token)).status, 401)
  assert.equal((await whoami(hs, second.access_token)).status, 200)
})

test('[ACC7] using the new refresh token ends the old one, too', async () => {
  await using hs = await startTestHomeserver()
  const first = await refreshable(hs)
  const second = (await refresh(hs, first.refresh_token)).body
  const third = (await refresh(hs, second.refresh_token)).body
  assert.equal((await whoami(hs, first.access_token)).status, 401)
  const reused = await refresh(hs, first.refresh_token)
  assert.deepEqual([reused.status, reused.body.soft_logout], [401, true])
  assert.equal((await whoami(hs, third.access_token)).status, 200)
})

test('[ACC8] reuse of a replaced refresh token ends the session once the grace is over', async () => {
  const clock = createManualClock()
  await using hs = await startTestHomeserver({ clock })
  const first = await refreshable(hs)
  const second = (await refresh(hs, first.refresh_token)).body
  assert.equal((await whoami(hs, second.access_token)).status, 200)
  await clock.advance(15_000)
  assert.equal((await refresh(hs, first.refresh_token)).status, 401)
  assert.equal((await whoami(hs, second.access_token)).status, 200)
  await clock.advance(1)
  assert.equal((await refresh(hs, first.refresh_token)).status, 401)
  assert.equal((await whoami(hs, second.access_token)).status, 401)
  assert.equal((await refresh(hs, second.refresh_token)).status, 401)
})

test('[ACC8] used refresh tokens are remembered for a hundred refreshes', async () => {
  await using hs = await startTestHomeserver()
  const first = await refreshable(hs)
  let token = first.refresh_token
  for (let count = 0; count < 110; count += 1) token = (await refresh(hs, token)).body.refresh_token
  const rows = await hs.parts.db.column(sql`SELECT count(*) FROM refresh_tokens`)
  assert.deepEqual(rows, [102])
  const { status, body } = await refresh(hs, first.refresh_token)
  assert.deepEqual([status, body.soft_logout], [401, undefined])
})

test('[ACC7] of simultaneous refreshes the last answers with tokens that work', async () => {
  await using hs = await startTestHomeserver()
  const first = await refreshable(hs)
  const answers = await Promise.all(Array.from({ length: 20 }, () => refresh(hs, first.refresh_token)))
  const tokens = answers.filter(({ status }) => status === 200).map(({ body }) => body.access_token as string)
  const alive = await Promise.all(tokens.map((token) => whoami(hs, token)))
  assert.equal(alive.filter(({ status }) => status === 200).length, 1)
})

test('malformed refreshes are refused', async () => {
  await using hs = await startTestHomeserver()
  assert.equal((await hs.request('POST', '/refresh', { body: {} })).body.errcode, 'M_MISSING_PARAM')
  assert.equal((await hs.request('POST', '/refresh', { body: { refresh_token: 7 } })).body.errcode, 'M_BAD_JSON')
  for (const token of ['', 'x', '__proto__', 'hfr_\0']) assert.equal((await refresh(hs, token)).status, 401)
})

test('[ACC10] a locked account is told so, with soft_logout, on everything but logout', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const other = await hs.ok('POST', '/login', {
    body: { type: 'm.login.password', user: 'ann', password: 'secret-ann' },
  })
  const { user_nid: userNid } = { user_nid: (await hs.parts.dictionary.userNid(ann.userId as never))! }
  await hs.parts.db.commit([setLocked({ userNid, isLocked: true })])
  hs.parts.accounts.requesters.forgetUser(userNid)
  for (const [method, target] of [
    ['GET', '/account/whoami'],
    ['GET', '/devices'],
    ['PUT', '/profile/x/logout'],
  ] as const) {
    const { status, body } = await ann.request(method, target, {})
    assert.deepEqual([status, body.errcode, body.soft_logout], [401, 'M_USER_LOCKED', true])
  }
  const login = await hs.request('POST', '/login', {
    body: { type: 'm.login.password', user: 'ann', password: 'secret-ann' },
  })
  assert.deepEqual([login.status, login.body.errcode], [401, 'M_USER_LOCKED'])
  await hs.ok('POST', '/logout', { token: other.access_token })
  await hs.parts.db.commit([setLocked({ userNid, isLocked: false })])
  hs.parts.accounts.requesters.forgetUser(userNid)
  assert.equal((await whoami(hs, ann.token)).status, 200)
})
