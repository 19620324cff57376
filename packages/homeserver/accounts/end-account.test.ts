import assert from 'node:assert/strict'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import test from 'node:test'
import { sql } from '@holdfast/platform/database/sql'
import { deactivateAccount } from '../storage/accounts.ts'
import { startTestHomeserver, type TestHomeserver, type TestResponse, type TestUser } from '../testing/homeserver.ts'

function logIn(hs: TestHomeserver, password: string): Promise<TestResponse> {
  return hs.request('POST', '/login', { body: { type: 'm.login.password', user: 'ann', password } })
}

function prove(password: string): object {
  return { type: 'm.login.password', password }
}

/** All that storage holds: the files of SQLite with its log, or every row of PostgreSQL. */
async function stored({ parts: { db }, folder }: TestHomeserver): Promise<readonly Buffer[]> {
  if (db.engine === 'postgres') {
    const dump = await db.heavy.column<string>(sql`SELECT schema_to_xml('public', true, false, '')::text`)
    return dump.map((text) => Buffer.from(text))
  }
  return Promise.all((await readdir(folder)).map((name) => readFile(join(folder, name))))
}

test('after a password change the new one logs in, the old one does not, and other devices are out', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const other = (await logIn(hs, 'secret-ann')).body
  await hs.ok('GET', '/account/whoami', { token: other.access_token })
  await ann.ok('POST', '/account/password', { new_password: 'new secret', auth: prove('secret-ann') })
  assert.equal((await logIn(hs, 'secret-ann')).status, 403)
  assert.equal((await logIn(hs, 'new secret')).status, 200)
  assert.equal((await ann.request('GET', '/account/whoami')).status, 200)
  assert.equal((await hs.request('GET', '/account/whoami', { token: other.access_token })).status, 401)
})

test('other devices stay if the client says so', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const other = (await logIn(hs, 'secret-ann')).body
  const body = { new_password: 'new', logout_devices: false, auth: prove('secret-ann') }
  await ann.ok('POST', '/account/password', body)
  await hs.ok('GET', '/account/whoami', { token: other.access_token })
})

test('a password is changed for nothing less than the current one', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const change = (body: object) => ann.request('POST', '/account/password', body)
  assert.equal((await change({ new_password: 'new' })).status, 401)
  assert.equal((await change({ new_password: 'new', auth: prove('wrong') })).status, 401)
  assert.equal((await change({ auth: prove('secret-ann') })).body.errcode, 'M_MISSING_PARAM')
  assert.equal((await change({ new_password: '', auth: prove('secret-ann') })).body.errcode, 'M_WEAK_PASSWORD')
  const anonymous = await hs.request('POST', '/account/password', { body: { new_password: 'new' } })
  assert.equal(anonymous.body.errcode, 'M_MISSING_TOKEN')
  assert.equal((await logIn(hs, 'secret-ann')).status, 200)
})

test('[ACC41] passwords of 72, 73 and 512 bytes differ in their last byte; longer ones are refused', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  let current = 'secret-ann'
  for (const length of [72, 73, 512]) {
    const password = `${'é'.repeat(Math.floor((length - 1) / 2))}${(length - 1) % 2 === 1 ? 'x' : ''}1`
    assert.equal(Buffer.byteLength(password), length)
    await ann.ok('POST', '/account/password', { new_password: password, auth: prove(current) })
    assert.equal((await logIn(hs, `${password.slice(0, -1)}2`)).status, 403)
    assert.equal((await logIn(hs, password.slice(0, -1))).status, 403)
    assert.equal((await logIn(hs, password)).status, 200)
    current = password
  }
  const long = 'a'.repeat(513)
  const tooLong = await ann.request('POST', '/account/password', { new_password: long, auth: prove(current) })
  assert.deepEqual([tooLong.status, tooLong.body.errcode], [400, 'M_INVALID_PARAM'])
  assert.deepEqual((await logIn(hs, long)).status, 400)
})

test('[ACC40] [ACC1] no password or token is found in the database files', async () => {
  await using hs = await startTestHomeserver()
  const secrets = ['first-secret-password', 'second-secret-password', 'wrong-secret-password']
  const [first, second, wrong] = secrets as [string, string, string]
  const begun = await hs.request('POST', '/register', { body: { username: 'ann', password: first } })
  const auth = { type: 'm.login.dummy', session: begun.body.session }
  const body = { username: 'ann', password: first, refresh_token: true, auth }
  const registered = await hs.ok('POST', '/register', { body })
  const ask = (method: string, target: string, sent: object) =>
    hs.request(method, target, { token: registered.access_token, body: sent })
  await ask('POST', '/account/password', { new_password: second })
  await ask('POST', '/account/password', { new_password: second, auth: prove(wrong) })
  await ask('POST', '/account/password', { new_password: second, auth: prove(first) })
  const given = await ask('POST', '/_matrix/client/v1/login/get_token', { auth: prove(second) })
  const refreshed = await hs.ok('POST', '/refresh', { body: { refresh_token: registered.refresh_token } })
  const tokens = [registered, refreshed].flatMap((one) => [one.access_token, one.refresh_token])
  const everything = await stored(hs)
  const holds = (needle: string): boolean => everything.some((bytes) => bytes.includes(needle))
  for (const secret of [...secrets, ...tokens, given.body.login_token as string, begun.body.session as string]) {
    assert.ok(!holds(secret), secret)
  }
  // The search would find something that is there.
  assert.ok(holds('@ann:example.org'))
})

async function end(ann: TestUser, more: object = {}): Promise<TestResponse> {
  return ann.request('POST', '/account/deactivate', { auth: prove('secret-ann'), ...more })
}

test('[ACC50] after deactivation no token, refresh or login of any kind works, and the name stays taken', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const body = { type: 'm.login.password', user: 'ann', password: 'secret-ann', refresh_token: true }
  const other = await hs.ok('POST', '/login', { body })
  const loginToken = (
    await hs.ok('POST', '/_matrix/client/v1/login/get_token', { token: ann.token, body: { auth: prove('secret-ann') } })
  ).login_token
  const ended = await end(ann)
  assert.deepEqual([ended.status, ended.body.id_server_unbind_result], [200, 'success'])
  for (const token of [ann.token, other.access_token]) {
    assert.equal((await hs.request('GET', '/account/whoami', { token })).body.errcode, 'M_UNKNOWN_TOKEN')
  }
  assert.equal((await hs.request('POST', '/refresh', { body: { refresh_token: other.refresh_token } })).status, 401)
  assert.equal((await hs.request('POST', '/login', { body: { type: 'm.login.token', token: loginToken } })).status, 403)
  assert.equal((await hs.request('POST', '/register', { body: { username: 'ann' } })).body.errcode, 'M_USER_IN_USE')
  await hs.restart()
  assert.equal((await hs.request('GET', '/account/whoami', { token: ann.token })).status, 401)
})

test('[ACC32] only who knows the password is told that the account was deactivated', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  await end(ann)
  const right = await logIn(hs, 'secret-ann')
  assert.deepEqual([right.status, right.body.errcode], [403, 'M_USER_DEACTIVATED'])
  const wrong = await logIn(hs, 'wrong')
  assert.deepEqual([wrong.status, wrong.body.errcode], [403, 'M_FORBIDDEN'])
})

test('an account is not deactivated for a wrong proof', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const wrong = await end(ann, { auth: prove('wrong') })
  assert.deepEqual([wrong.status, wrong.body.errcode], [401, 'M_FORBIDDEN'])
  assert.deepEqual(Object.keys(wrong.body).toSorted(), ['completed', 'errcode', 'error', 'flows', 'params', 'session'])
  assert.equal((await hs.request('POST', '/account/deactivate', { body: {} })).body.errcode, 'M_MISSING_TOKEN')
  assert.equal((await logIn(hs, 'secret-ann')).status, 200)
})

test('who deactivates leaves all rooms, and with erase takes the name along', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const bob = await hs.user('bob')
  await ann.ok('PUT', `/profile/${ann.userId}/displayname`, { displayname: 'Ann the Great' })
  const { room_id: roomId } = await bob.ok('POST', '/createRoom', { preset: 'public_chat' })
  await ann.ok('POST', `/join/${encodeURIComponent(roomId)}`, {})
  await end(ann, { erase: true })
  const path = `/rooms/${encodeURIComponent(roomId)}/state/m.room.member/${encodeURIComponent(ann.userId)}`
  assert.equal((await bob.ok('GET', path)).membership, 'leave')
  assert.deepEqual(await hs.ok('GET', `/profile/${ann.userId}`), {})
})

test('[ACC51] rooms that a deactivation did not come to are left at the next start', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const bob = await hs.user('bob')
  const { room_id: roomId } = await bob.ok('POST', '/createRoom', { preset: 'public_chat' })
  await ann.ok('POST', `/join/${encodeURIComponent(roomId)}`, {})
  const userNid = (await hs.parts.dictionary.userNid(ann.userId as never))!
  // All that was committed when the process was killed.
  await hs.parts.db.commit([deactivateAccount({ userNid, erase: false, nowMs: 1 })])
  await hs.restart()
  const path = `/rooms/${encodeURIComponent(roomId)}/state/m.room.member/${encodeURIComponent(ann.userId)}`
  for (let round = 0; (await bob.ok('GET', path)).membership !== 'leave'; round += 1) {
    assert.ok(round < 3_000)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
})
