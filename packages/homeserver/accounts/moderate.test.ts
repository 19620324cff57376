import assert from 'node:assert/strict'
import test from 'node:test'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../testing/homeserver.ts'
import { createAccount } from './create-account.ts'
import { hashPassword } from './passwords.ts'
import type { UserId } from '@holdfast/protocol/ids/brand'

async function root(hs: TestHomeserver): Promise<string> {
  const passwordHash = await hashPassword(hs.parts, 'secret')
  await createAccount(hs.parts, { userId: '@root:example.org' as UserId, passwordHash, kind: 'user', isAdmin: true })
  return (await hs.ok('POST', '/login', { body: { type: 'm.login.password', user: 'root', password: 'secret' } }))
    .access_token
}

const lock = (user: Pick<TestUser, 'userId'>) => `/_matrix/client/v1/admin/lock/${user.userId}`
const suspend = (user: Pick<TestUser, 'userId'>) => `/_matrix/client/v1/admin/suspend/${user.userId}`

test('[ACC10] an administrator locks an account, which keeps its sessions for later', async () => {
  await using hs = await startTestHomeserver()
  const token = await root(hs)
  const ann = await hs.user('ann')
  assert.deepEqual(await hs.ok('GET', lock(ann), { token }), { locked: false })
  assert.deepEqual(await hs.ok('PUT', lock(ann), { token, body: { locked: true } }), { locked: true })
  const refused = await ann.request('GET', '/sync')
  assert.deepEqual([refused.status, refused.body.errcode, refused.body.soft_logout], [401, 'M_USER_LOCKED', true])
  await hs.restart()
  assert.deepEqual(await hs.ok('GET', lock(ann), { token }), { locked: true })
  await hs.ok('PUT', lock(ann), { token, body: { locked: false } })
  await ann.ok('GET', '/account/whoami')
})

test('an administrator suspends an account, which can still log in and read', async () => {
  await using hs = await startTestHomeserver()
  const token = await root(hs)
  const ann = await hs.user('ann')
  await hs.ok('PUT', suspend(ann), { token, body: { suspended: true } })
  assert.deepEqual(await hs.ok('GET', suspend(ann), { token }), { suspended: true })
  await ann.ok('GET', '/account/whoami')
  await hs.ok('POST', '/login', { body: { type: 'm.login.password', user: 'ann', password: 'secret-ann' } })
  const change = await ann.request('PUT', `/profile/${ann.userId}/displayname`, { displayname: 'x' })
  assert.equal(change.body.errcode, 'M_USER_SUSPENDED')
})

test('nobody but an administrator is told anything, and administrators are left alone', async () => {
  await using hs = await startTestHomeserver()
  const token = await root(hs)
  const ann = await hs.user('ann')
  for (const userId of [ann.userId, '@nobody:example.org', '@x:elsewhere.org', '@root:example.org']) {
    for (const path of [lock({ userId }), suspend({ userId })]) {
      assert.equal((await ann.request('GET', path)).body.errcode, 'M_FORBIDDEN')
      assert.equal((await ann.request('PUT', path, { locked: true, suspended: true })).body.errcode, 'M_FORBIDDEN')
    }
  }
  const asked = async (userId: string) => (await hs.request('GET', lock({ userId }), { token })).body.errcode
  assert.equal(await asked('@nobody:example.org'), 'M_NOT_FOUND')
  assert.equal(await asked('@x:elsewhere.org'), 'M_INVALID_PARAM')
  assert.equal(await asked('@root:example.org'), 'M_FORBIDDEN')
  assert.equal((await hs.request('PUT', lock(ann), { token, body: {} })).body.errcode, 'M_MISSING_PARAM')
  assert.equal((await hs.request('PUT', lock(ann), { token, body: { locked: 1 } })).body.errcode, 'M_BAD_JSON')
})

test('only administrators are told that they can moderate', async () => {
  await using hs = await startTestHomeserver()
  const token = await root(hs)
  const ann = await hs.user('ann')
  const moderation = { lock: true, suspend: true }
  assert.deepEqual((await hs.ok('GET', '/capabilities', { token })).capabilities['m.account_moderation'], moderation)
  assert.equal((await ann.ok('GET', '/capabilities')).capabilities['m.account_moderation'], undefined)
})

test('users look up themselves, and administrators everyone', async () => {
  await using hs = await startTestHomeserver()
  const token = await root(hs)
  const ann = await hs.user('ann')
  const answer = await ann.ok('GET', `/admin/whois/${ann.userId}`)
  assert.deepEqual(Object.keys(answer.devices), [ann.deviceId])
  assert.equal((await ann.request('GET', '/admin/whois/@root:example.org')).body.errcode, 'M_FORBIDDEN')
  assert.equal((await hs.ok('GET', `/admin/whois/${ann.userId}`, { token })).user_id, ann.userId)
})
