import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestHomeserver, type TestHomeserver, type TestResponse } from '../testing/homeserver.ts'
import { untilSomebodyWaits } from '../testing/until.ts'

/** A sync, or an event stream, that waits with this token. */
async function aWait(
  homeserver: TestHomeserver,
  token: string,
  kind: 'sync' | 'events' = 'sync',
): Promise<Promise<TestResponse>[]> {
  const since = (await homeserver.ok('GET', '/sync', { token })).next_batch
  const target = kind === 'sync' ? `/sync?since=${since}&timeout=60000` : '/events?timeout=60000'
  const answer = homeserver.request('GET', target, { token })
  await untilSomebodyWaits(homeserver)
  // In a list, or it would be awaited here.
  return [answer]
}

async function logIn(homeserver: TestHomeserver, more: object = {}) {
  const identifier = { type: 'm.id.user', user: 'ann' }
  return homeserver.ok('POST', '/login', {
    body: { type: 'm.login.password', identifier, password: 'secret-ann', ...more },
  })
}

for (const kind of ['sync', 'events'] as const) {
  test(`[ACC26] a waiting /${kind} ends with the session, by its own logout or another's`, async () => {
    await using homeserver = await startTestHomeserver()
    const ann = await homeserver.user('ann')
    const [second, third] = [await logIn(homeserver), await logIn(homeserver)]
    const [own] = await aWait(homeserver, second.access_token, kind)
    await homeserver.ok('POST', '/logout', { token: second.access_token, body: {} })
    assert.deepEqual([(await own!).status, (await own!).body.errcode], [401, 'M_UNKNOWN_TOKEN'])
    const [theirs] = await aWait(homeserver, third.access_token, kind)
    const auth = { type: 'm.login.password', identifier: { type: 'm.id.user', user: 'ann' }, password: 'secret-ann' }
    const deleted = await homeserver.request('DELETE', `/devices/${third.device_id}`, { token: ann.token, body: {} })
    const body = { auth: { ...auth, session: deleted.body.session } }
    await homeserver.ok('DELETE', `/devices/${third.device_id}`, { token: ann.token, body })
    assert.equal((await theirs!).body.errcode, 'M_UNKNOWN_TOKEN')
    // Its news is that a device is gone, so it begins again.
    const [mine] = await aWait(homeserver, ann.token, kind)
    await homeserver.ok('POST', '/logout/all', { token: ann.token, body: {} })
    assert.equal((await mine!).body.errcode, 'M_UNKNOWN_TOKEN')
    assert.equal(homeserver.parts.streams.waiting(), 0)
  })
}

test('[ACC26] a wait with a token that was replaced ends with nothing new, and the session goes on', async () => {
  await using homeserver = await startTestHomeserver()
  await homeserver.user('ann')
  const session = await logIn(homeserver, { refresh_token: true })
  const [old] = await aWait(homeserver, session.access_token)
  const fresh = await homeserver.ok('POST', '/refresh', { body: { refresh_token: session.refresh_token } })
  await homeserver.ok('GET', '/account/whoami', { token: fresh.access_token })
  const { status, body } = await old!
  assert.deepEqual([status, body.rooms], [200, undefined])
  assert.equal((await homeserver.request('GET', '/sync', { token: session.access_token })).status, 401)
  assert.equal((await homeserver.request('GET', '/sync', { token: fresh.access_token })).status, 200)
})
