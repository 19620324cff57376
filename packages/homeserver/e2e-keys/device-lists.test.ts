import assert from 'node:assert/strict'
import { after, before, test } from 'node:test'
import { sql } from '@holdfast/platform/database/sql'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { startTestHomeserver, type TestHomeserver, type TestUser } from '../testing/homeserver.ts'
import { listChangesSince } from './list-changes.ts'
import { deviceKeysOf } from './testing/device.ts'
import { anotherDevice } from './testing/another-device.ts'

let server: TestHomeserver
before(async () => {
  server = await startTestHomeserver()
})
after(() => server[Symbol.asyncDispose]())

let names = 0
async function aUser(): Promise<TestUser> {
  names += 1
  return server.user(`u${names}`)
}

type Room = { readonly id: string; readonly path: string }

async function aRoom(creator: TestUser, ...members: readonly TestUser[]): Promise<Room> {
  const { room_id: id } = await creator.ok('POST', '/createRoom', { preset: 'public_chat' })
  const room = { id, path: `/rooms/${encodeURIComponent(id)}` }
  for (const member of members) await member.ok('POST', `${room.path}/join`, {})
  return room
}

async function uploadKeys(user: TestUser): Promise<void> {
  await user.ok('POST', '/keys/upload', { device_keys: deviceKeysOf(user).keys })
}

async function tokenOf(user: TestUser): Promise<string> {
  return (await user.ok('GET', '/sync')).next_batch
}

type Lists = { readonly changed: readonly string[]; readonly left: readonly string[] }

/** What a sync tells, after it was seen to be the same from the database and by /keys/changes. */
async function listsSince(user: TestUser, token: string): Promise<Lists & { readonly token: string }> {
  const answer = await user.ok('GET', `/sync?since=${token}`)
  const told = sorted(answer.device_lists ?? { changed: [], left: [] })
  assert.deepEqual(sorted(await user.ok('GET', `/keys/changes?from=${token}&to=${answer.next_batch}`)), told)
  assert.deepEqual(await storedLists(user, Number(token.slice(1))), told)
  return { ...told, token: answer.next_batch }
}

async function storedLists(user: TestUser, after: number): Promise<Lists> {
  const { parts } = server
  const userNid = (await parts.dictionary.userNid(user.userId as UserId))!
  const unknown = { add: () => {}, since: () => undefined, listen: () => ({ [Symbol.dispose]: () => {} }) }
  const e2eKeys = { ...parts.e2eKeys, moves: unknown, deviceLists: { ...parts.e2eKeys.deviceLists, log: unknown } }
  const memberships = await parts.memberships.of(userNid)
  const { changed, left } = await listChangesSince({ ...parts, e2eKeys }, { userNid, memberships }, after)
  return sorted({
    changed: await parts.dictionary.userIds([...changed]),
    left: await parts.dictionary.userIds([...left]),
  })
}

function sorted({ changed, left }: Lists): Lists {
  return { changed: changed.toSorted(), left: left.toSorted() }
}

function ids(...users: readonly TestUser[]): readonly string[] {
  return users.map(({ userId }) => userId).toSorted()
}

test('[E2E7] changes of devices are told to the user and to those who share a room', async () => {
  const [ann, bob, cat] = [await aUser(), await aUser(), await aUser()]
  await aRoom(ann, bob)
  const tokens = [await tokenOf(ann), await tokenOf(bob), await tokenOf(cat)]
  const changes: (() => Promise<unknown>)[] = [
    () => uploadKeys(ann),
    () => ann.ok('PUT', `/devices/${ann.deviceId}`, { display_name: 'New name' }),
    async () => (await anotherDevice(server, ann)).ok('POST', '/logout', {}),
  ]
  for (const change of changes) {
    await change()
    for (const [index, user] of [ann, bob, cat].entries()) {
      const told = await listsSince(user, tokens[index]!)
      assert.deepEqual([told.changed, told.left], [user === cat ? [] : [ann.userId], []])
      tokens[index] = told.token
      assert.deepEqual((await listsSince(user, told.token)).changed, [])
    }
  }
})

test('[E2E7] a change wakes a sync that waits', async () => {
  const [ann, bob] = [await aUser(), await aUser()]
  await aRoom(ann, bob)
  const token = await tokenOf(bob)
  const waiting = bob.ok('GET', `/sync?since=${token}&timeout=20000`)
  await uploadKeys(ann)
  assert.deepEqual((await waiting).device_lists, { changed: [ann.userId], left: [] })
})

test('[E2E7] a change is one row for the user and one for other servers, whatever the number of rooms', async () => {
  const [ann, bob] = [await aUser(), await aUser()]
  for (let n = 0; n < 5; n += 1) await aRoom(ann, bob)
  const userNid = (await server.parts.dictionary.userNid(ann.userId as UserId))!
  const count = (): Promise<readonly number[]> =>
    server.parts.db.column(
      sql`SELECT (SELECT COUNT(*) FROM device_list_updates WHERE user_nid = ${userNid})
            + (SELECT COUNT(*) FROM device_list_changes WHERE user_nid = ${userNid})`,
    )
  const [rows] = await count()
  const position = server.parts.streams.position()
  await uploadKeys(ann)
  assert.equal(server.parts.streams.position(), position + 1)
  assert.deepEqual(await count(), [rows! + 1])
  for (let n = 0; n < 105; n += 1) await uploadKeys(ann)
  assert.deepEqual(await count(), [101])
})

test('[E2E8] who joins and those who are in the room are told of each other, if they shared none before', async () => {
  const [ann, bob, cat] = [await aUser(), await aUser(), await aUser()]
  await aRoom(ann, cat)
  const room = await aRoom(ann, cat)
  const [ofAnn, ofBob] = [await tokenOf(ann), await tokenOf(bob)]
  await bob.ok('POST', `${room.path}/join`, {})
  assert.deepEqual((await listsSince(ann, ofAnn)).changed, ids(bob))
  assert.deepEqual((await listsSince(bob, ofBob)).changed, ids(ann, bob, cat))
  const next = await tokenOf(cat)
  const other = await aRoom(ann)
  await cat.ok('POST', `${other.path}/join`, {})
  assert.deepEqual(await listsSince(cat, next).then(({ changed, left }) => [changed, left]), [[], []])
})

test('[E2E8] who comes into their first room is told of themselves too, and not in the next one', async () => {
  const [ann, bob] = [await aUser(), await aUser()]
  const [room, next] = [await aRoom(ann), await aRoom(ann)]
  const token = await tokenOf(bob)
  await bob.ok('POST', `${room.path}/join`, {})
  const told = await listsSince(bob, token)
  assert.deepEqual([told.changed, told.left], [ids(ann, bob), []])
  await bob.ok('POST', `${next.path}/join`, {})
  assert.deepEqual((await listsSince(bob, told.token)).changed, [])
})

test('[E2E8] a new name or picture is no reason to ask for keys', async () => {
  const [ann, bob] = [await aUser(), await aUser()]
  await aRoom(ann, bob)
  const token = await tokenOf(bob)
  await ann.ok('PUT', `/profile/${ann.userId}/displayname`, { displayname: 'Ann' })
  await bob.ok('PUT', `/profile/${bob.userId}/displayname`, { displayname: 'Bob' })
  assert.deepEqual((await listsSince(bob, token)).changed, [])
})

test('[E2E8] who shares no room any more has left, whoever of them went', async () => {
  const [ann, bob, cat, dan] = [await aUser(), await aUser(), await aUser(), await aUser()]
  const room = await aRoom(ann, bob, cat, dan)
  await aRoom(ann, dan)
  const ofAnn = await tokenOf(ann)
  const ofBob = await tokenOf(bob)
  await bob.ok('POST', `${room.path}/leave`, {})
  const told = await listsSince(ann, ofAnn)
  assert.deepEqual([told.changed, told.left], [[], ids(bob)])
  assert.deepEqual((await listsSince(bob, ofBob)).left, ids(ann, cat, dan))
  await uploadKeys(bob)
  assert.deepEqual((await listsSince(ann, told.token)).changed, [])
  const next = (await listsSince(ann, told.token)).token
  await ann.ok('POST', `${room.path}/leave`, {})
  await ann.ok('POST', `${room.path}/forget`, {})
  assert.deepEqual((await listsSince(ann, next)).left, ids(cat))
})

test('[E2E8] who left and came back is told of again', async () => {
  const [ann, bob, cat] = [await aUser(), await aUser(), await aUser()]
  const room = await aRoom(ann, bob, cat)
  const [ofAnn, ofBob] = [await tokenOf(ann), await tokenOf(bob)]
  await bob.ok('POST', `${room.path}/leave`, {})
  await uploadKeys(bob)
  await bob.ok('POST', `${room.path}/join`, {})
  const told = await listsSince(ann, ofAnn)
  assert.deepEqual([told.changed, told.left], [ids(bob), []])
  assert.deepEqual((await listsSince(bob, ofBob)).changed, ids(ann, bob, cat))
})

test('[E2E8] invitations, and bans of who was never there, tell nothing of the members', async () => {
  const [ann, bob, cat, dan] = [await aUser(), await aUser(), await aUser(), await aUser()]
  const room = await aRoom(ann, cat)
  const [ofAnn, ofBob, ofDan] = [await tokenOf(ann), await tokenOf(bob), await tokenOf(dan)]
  await ann.ok('POST', `${room.path}/invite`, { user_id: bob.userId })
  assert.deepEqual((await listsSince(bob, ofBob)).changed, [])
  await bob.ok('POST', `${room.path}/leave`, {})
  await ann.ok('POST', `${room.path}/ban`, { user_id: dan.userId })
  for (const [user, token] of [
    [bob, ofBob],
    [dan, ofDan],
    [ann, ofAnn],
  ] as const) {
    const told = await listsSince(user, token)
    assert.deepEqual([told.changed, told.left], [[], []])
  }
})

test('[E2E8] who left learns nothing of those who came later', async () => {
  const [ann, bob, cat] = [await aUser(), await aUser(), await aUser()]
  const room = await aRoom(ann, bob)
  const token = await tokenOf(bob)
  await bob.ok('POST', `${room.path}/leave`, {})
  await cat.ok('POST', `${room.path}/join`, {})
  assert.deepEqual((await listsSince(bob, token)).left, ids(ann))
})

test('[E2E9] tokens from before a restart miss nothing', async () => {
  const [ann, bob, cat] = [await aUser(), await aUser(), await aUser()]
  const room = await aRoom(ann, bob)
  const token = await tokenOf(ann)
  await cat.ok('POST', `${room.path}/join`, {})
  await uploadKeys(bob)
  await server.restart()
  assert.deepEqual((await listsSince(ann, token)).changed, ids(bob, cat))
})

test('/keys/changes refuses what is no token, and one from a future that this server lost', async () => {
  const ann = await aUser()
  const token = await tokenOf(ann)
  for (const query of ['', `from=${token}`, `from=x&to=${token}`, `from=${token}&to=x`, `from=s99999999&to=${token}`]) {
    assert.equal((await ann.request('GET', `/keys/changes?${query}`)).status, 400, query)
  }
})
