import assert from 'node:assert/strict'
import test from 'node:test'
import { startTestHomeserver, type TestHomeserver } from '../testing/homeserver.ts'

const POLICY = {
  id: 'privacy',
  version: '1',
  translations: {
    en: { name: '<script>alert(1)</script>', url: 'https://example.org/"onload=x' },
    de: { name: 'Falle', url: 'javascript:alert(1)' },
  },
}
const FORM = { 'content-type': 'application/x-www-form-urlencoded' }
const BODY = { username: 'ann', password: 'secret' }

async function begin(hs: TestHomeserver): Promise<string> {
  return (await hs.request('POST', '/register', { body: BODY })).body.session
}

test('a stage completed in the page lets the request pass with its session alone', async () => {
  await using hs = await startTestHomeserver({ settings: { terms: [POLICY] } })
  const session = await begin(hs)
  const path = '/auth/m.login.terms/fallback/web'
  const shown = await hs.request('GET', `${path}?session=${session}`)
  assert.equal(shown.status, 200)
  assert.match(shown.body, /<form method="post">/)
  const done = await hs.request('POST', path, { headers: FORM, body: `session=${session}` })
  assert.equal(done.status, 200)
  assert.match(done.body, /window\.onAuthDone/)
  await hs.ok('POST', '/register', { body: { ...BODY, auth: { session } } })
})

test('the token page asks again for a wrong token', async () => {
  await using hs = await startTestHomeserver({ settings: { registration: 'token' } })
  const session = await begin(hs)
  const path = '/auth/m.login.registration_token/fallback/web'
  const wrong = await hs.request('POST', path, { headers: FORM, body: `session=${session}&token=x` })
  assert.equal(wrong.status, 401)
  assert.match(wrong.body, /role="alert"/)
})

test('the password page proves its user, for the request that began', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const body = { devices: [ann.deviceId] }
  const { session } = (await ann.request('POST', '/delete_devices', body)).body
  const path = '/auth/m.login.password/fallback/web'
  const answer = await hs.request('POST', path, { headers: FORM, body: `session=${session}&password=secret-ann` })
  assert.equal(answer.status, 200)
  assert.equal((await ann.request('POST', '/delete_devices', { devices: ['X'], auth: { session } })).status, 403)
  await ann.ok('POST', '/delete_devices', { ...body, auth: { session } })
})

test('an unknown session or a stage that is not asked for gets a page that says so', async () => {
  await using hs = await startTestHomeserver()
  const session = await begin(hs)
  assert.equal((await hs.request('GET', '/auth/m.login.dummy/fallback/web')).status, 404)
  assert.equal((await hs.request('GET', '/auth/m.login.dummy/fallback/web?session=%00')).status, 404)
  assert.equal((await hs.request('GET', `/auth/m.login.password/fallback/web?session=${session}`)).status, 403)
  assert.equal((await hs.request('GET', `/auth/__proto__/fallback/web?session=${session}`)).status, 403)
})

test('nothing that was configured or sent becomes markup, and nothing else may run or frame the page', async () => {
  await using hs = await startTestHomeserver({ settings: { terms: [POLICY] } })
  const session = await begin(hs)
  const pages = [
    await hs.request('GET', `/auth/m.login.terms/fallback/web?session=${session}`),
    await hs.request('GET', '/auth/%3Cscript%3E/fallback/web?session=%22onload%3Dx'),
    await hs.request('GET', '/_matrix/static/client/login/'),
  ]
  for (const page of pages) {
    assert.doesNotMatch(page.body, /<script>alert|"onload|href="javascript/)
    assert.match(page.headers['content-type'] ?? '', /^text\/html/)
    assert.match(page.headers['content-security-policy'] ?? '', /default-src 'none'.*frame-ancestors 'none'/)
    assert.equal(page.headers['x-frame-options'], 'DENY')
  }
  assert.match(pages[0]!.body, /&lt;script&gt;alert\(1\)&lt;\/script&gt;/)
})
