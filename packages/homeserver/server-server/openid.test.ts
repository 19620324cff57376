import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '@holdfast/platform/clock/manual-clock'
import { startTestHomeserver } from '../testing/homeserver.ts'

const USERINFO = '/_matrix/federation/v1/openid/userinfo'

test('an OpenID token tells whose it is, as often as it is shown, for an hour', async () => {
  const clock = createManualClock()
  await using homeserver = await startTestHomeserver({ clock })
  const ann = await homeserver.user('ann')
  const answer = await ann.ok('POST', `/user/${ann.userId}/openid/request_token`, {})
  assert.deepEqual(answer, {
    access_token: answer.access_token,
    token_type: 'Bearer',
    matrix_server_name: 'example.org',
    expires_in: 3600,
  })
  const target = `${USERINFO}?access_token=${answer.access_token}`
  for (let round = 0; round < 2; round += 1) assert.deepEqual(await homeserver.ok('GET', target), { sub: ann.userId })
  await homeserver.restart()
  await clock.advance(3_599_999)
  assert.deepEqual(await homeserver.ok('GET', target), { sub: ann.userId })
  await clock.advance(1)
  const expired = await homeserver.request('GET', target)
  assert.deepEqual([expired.status, expired.body.errcode], [401, 'M_UNKNOWN_TOKEN'])
})

test('a missing, unknown or other token is refused with 401', async () => {
  await using homeserver = await startTestHomeserver()
  const ann = await homeserver.user('ann')
  const missing = await homeserver.request('GET', USERINFO)
  assert.deepEqual([missing.status, missing.body.errcode], [401, 'M_MISSING_TOKEN'])
  for (const token of ['', 'an%2Finvalid%2Ftoken', ann.token, 'hfo_', `hfo_${'x'.repeat(300)}`, '%00']) {
    const { status, body } = await homeserver.request('GET', `${USERINFO}?access_token=${token}`)
    assert.deepEqual([status, body.errcode], [401, 'M_UNKNOWN_TOKEN'], token)
  }
})

test('an OpenID token opens nothing else, and is given to its own user only', async () => {
  await using homeserver = await startTestHomeserver()
  const ann = await homeserver.user('ann')
  const bob = await homeserver.user('bob')
  const { access_token: token } = await ann.ok('POST', `/user/${ann.userId}/openid/request_token`, {})
  const whoami = await homeserver.request('GET', '/account/whoami', { token })
  assert.deepEqual([whoami.status, whoami.body.errcode], [401, 'M_UNKNOWN_TOKEN'])
  const foreign = await bob.request('POST', `/user/${ann.userId}/openid/request_token`, {})
  assert.deepEqual([foreign.status, foreign.body.errcode], [403, 'M_FORBIDDEN'])
})

test('the tokens of an account end with it', async () => {
  await using homeserver = await startTestHomeserver()
  const ann = await homeserver.user('ann')
  const { access_token: token } = await ann.ok('POST', `/user/${ann.userId}/openid/request_token`, {})
  const auth = { type: 'm.login.password', user: 'ann', password: 'secret-ann' }
  await ann.ok('POST', '/account/deactivate', { auth })
  assert.equal((await homeserver.request('GET', `${USERINFO}?access_token=${token}`)).status, 401)
})
