import assert from 'node:assert/strict'
import test from 'node:test'
import { setSuspended } from '../storage/accounts.ts'
import { writeProfile } from '../storage/profiles.ts'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../testing/homeserver.ts'
import { memberProfile } from './member-profile.ts'

function set(user: TestUser, name: string, value: unknown) {
  return user.request('PUT', `/profile/${user.userId}/${name}`, { [name]: value })
}

test('fields are set, read by anyone without a token, and deleted', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const values = { displayname: 'Ann \0 \u{1f600}', avatar_url: 'mxc://example.org/a', 'm.tz': 'Europe/Zurich' }
  const custom = { 'org.example.any': { __proto__: null, toString: [1.5, null], constructor: true } }
  for (const [name, value] of Object.entries({ ...values, ...custom }))
    assert.equal((await set(ann, name, value)).status, 200)
  const path = `/profile/${ann.userId}`
  assert.deepEqual(await hs.ok('GET', path), JSON.parse(JSON.stringify({ ...values, ...custom })))
  await hs.restart()
  assert.deepEqual(await hs.ok('GET', `${path}/displayname`), { displayname: values.displayname })
  await ann.ok('DELETE', `${path}/m.tz`)
  await ann.ok('DELETE', `${path}/m.tz`)
  assert.equal((await hs.request('GET', `${path}/m.tz`)).body.errcode, 'M_NOT_FOUND')
})

test('an empty name or avatar is none', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  await set(ann, 'displayname', 'Ann')
  await set(ann, 'displayname', '')
  assert.deepEqual(await hs.ok('GET', `/profile/${ann.userId}`), {})
})

test('unknown users have no profile, and others cannot be changed', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  for (const userId of ['@nobody:example.org', '@ann:elsewhere.org']) {
    assert.equal((await hs.request('GET', `/profile/${userId}`)).status, 404)
    const change = await ann.request('PUT', `/profile/${userId}/displayname`, { displayname: 'x' })
    assert.equal(change.body.errcode, 'M_FORBIDDEN')
  }
  assert.equal((await hs.request('GET', '/profile/ann')).body.errcode, 'M_INVALID_PARAM')
  assert.equal((await hs.request('PUT', `/profile/${ann.userId}/displayname`, { body: {} })).status, 401)
})

test('keys follow the grammar and have at most 255 bytes', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  assert.equal((await set(ann, `a.${'b'.repeat(253)}`, 1)).status, 200)
  assert.equal((await set(ann, `a.${'b'.repeat(254)}`, 1)).body.errcode, 'M_KEY_TOO_LARGE')
  for (const name of ['__proto__', 'Displayname', '%20', 'a%00b', '%c3%a9', '1a']) {
    const body = { [decodeURIComponent(name)]: 1 }
    const answer = await ann.request('PUT', `/profile/${ann.userId}/${name}`, body)
    assert.deepEqual([answer.status, answer.body.errcode], [400, 'M_INVALID_PARAM'], name)
  }
})

test('values of known fields are strings of bounded length', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  for (const name of ['displayname', 'avatar_url', 'm.tz']) {
    for (const value of [null, 7, {}, [], true, 'x'.repeat(1_001)]) {
      assert.equal((await set(ann, name, value)).body.errcode, 'M_INVALID_PARAM')
    }
  }
  const other = await ann.request('PUT', `/profile/${ann.userId}/displayname`, { avatar_url: 'x' })
  assert.equal(other.body.errcode, 'M_MISSING_PARAM')
  assert.equal((await ann.request('PUT', `/profile/${ann.userId}/displayname`, [])).body.errcode, 'M_BAD_JSON')
})

test('the whole profile stays below 64 KiB', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const overhead = JSON.stringify({ 'a.b': '' }).length
  assert.equal((await set(ann, 'a.b', 'x'.repeat(65_535 - overhead))).status, 200)
  assert.equal((await set(ann, 'a.b', 'x'.repeat(65_536 - overhead))).body.errcode, 'M_PROFILE_TOO_LARGE')
  assert.equal((await set(ann, 'a.c', 1)).body.errcode, 'M_PROFILE_TOO_LARGE')
  assert.equal((await set(ann, 'a.b', 'é'.repeat(20_000))).status, 200)
})

test('[ACC60] of simultaneous changes of different fields none is lost', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const names = Array.from({ length: 15 }, (_, index) => `org.example.f${index}`)
  const answers = await Promise.all(names.map((name, index) => set(ann, name, index)))
  assert.ok(answers.every(({ status }) => status === 200))
  assert.deepEqual(Object.keys(await hs.ok('GET', `/profile/${ann.userId}`)).toSorted(), names.toSorted())
})

test('a suspended user cannot change the profile', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const userNid = (await hs.parts.dictionary.userNid(ann.userId as never))!
  await hs.parts.db.commit([setSuspended({ userNid, isSuspended: true })])
  hs.parts.accounts.requesters.forgetUser(userNid)
  const answer = await set(ann, 'displayname', 'x')
  assert.deepEqual([answer.status, answer.body.errcode], [403, 'M_USER_SUSPENDED'])
})

async function room(hs: TestHomeserver): Promise<{ ann: TestUser; member: () => Promise<Record<string, unknown>> }> {
  const ann = await hs.user('ann')
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', {})
  const path = `/rooms/${encodeURIComponent(roomId)}/state/m.room.member/${encodeURIComponent(ann.userId)}`
  return { ann, member: () => ann.ok('GET', path) }
}

test('rooms show a new name and avatar', async () => {
  await using hs = await startTestHomeserver()
  const { ann, member } = await room(hs)
  await set(ann, 'displayname', 'Ann')
  await set(ann, 'avatar_url', 'mxc://example.org/a')
  assert.deepEqual(await member(), { membership: 'join', displayname: 'Ann', avatar_url: 'mxc://example.org/a' })
  await ann.ok('DELETE', `/profile/${ann.userId}/displayname`)
  assert.equal((await member())['displayname'], undefined)
})

test('many quick changes end with the last one in every room', async () => {
  await using hs = await startTestHomeserver()
  const { ann, member } = await room(hs)
  for (let count = 0; count < 10; count += 1) await set(ann, 'displayname', `Ann ${count}`)
  await Promise.all(hs.parts.accounts.telling.values())
  assert.equal((await member())['displayname'], 'Ann 9')
})

test('[ACC61] a name that the rooms were not told of is told after a restart', async () => {
  await using hs = await startTestHomeserver()
  const { ann, member } = await room(hs)
  const userNid = (await hs.parts.dictionary.userNid(ann.userId as never))!
  await hs.parts.db.commit([writeProfile({ userNid, version: 0, fields: '{"displayname":"Ann"}', untold: true })])
  await hs.restart()
  for (let round = 0; (await member())['displayname'] !== 'Ann'; round += 1) {
    assert.ok(round < 3_000)
    await new Promise((resolve) => setTimeout(resolve, 10))
  }
})

test('member events take the display name and avatar, and nothing else', async () => {
  await using hs = await startTestHomeserver()
  const ann = await hs.user('ann')
  const userNid = (await hs.parts.dictionary.userNid(ann.userId as never))!
  assert.deepEqual(await memberProfile(hs.parts, userNid), {})
  await set(ann, 'displayname', 'Ann')
  await set(ann, 'm.tz', 'UTC')
  assert.deepEqual(await memberProfile(hs.parts, userNid), { displayname: 'Ann' })
  assert.deepEqual(await memberProfile(hs.parts, 999_999), {})
})
