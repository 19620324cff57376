import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import type { TestUser } from '../testing/homeserver.ts'
import { startFederatedHomeservers, type Federation } from '../testing/two-homeservers.ts'
import { until } from '../testing/until.ts'

const A = 'a.example'
const B = 'b.example'
const C = 'c.example'

type World = Federation & {
  readonly ann: TestUser
  readonly bob: TestUser
  readonly roomId: string
  readonly path: string
}

/**
 * For Ann's server everybody has left the room: Bob went and came back through Cat's server while it was cut off, then Cat went,
 * and Ann, who still saw Cat there, removed her and went herself. Nobody tells it that Bob is there.
 */
async function aRoomThatGoesOnElsewhere(t: TestContext): Promise<World> {
  const federation = await startFederatedHomeservers([A, B, C])
  t.after(() => federation[Symbol.asyncDispose]())
  const { cutOff, servers } = federation
  const [ann, bob, cat] = [await servers[0]!.user('ann'), await servers[1]!.user('bob'), await servers[2]!.user('cat')]
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', {
    preset: 'public_chat',
    room_version: '11',
    power_level_content_override: { users: { [ann.userId]: 100, [bob.userId]: 101 } },
  })
  const path = `/rooms/${encodeURIComponent(roomId)}`
  await join(bob, roomId, A)
  await join(cat, roomId, A)
  for (const user of [ann, bob, cat]) {
    await until(async () => (await members(user, path)).length === 3, `${user.userId} sees all three`)
  }
  await bob.ok('POST', `${path}/leave`, {})
  for (const user of [ann, cat]) {
    await until(async () => (await members(user, path)).length === 2, `${user.userId} sees bob go`)
  }
  cutOff(A, true)
  await join(bob, roomId, C)
  await cat.ok('POST', `${path}/leave`, {})
  await until(async () => (await members(bob, path)).length === 2, 'bob sees cat go')
  await ann.ok('POST', `${path}/kick`, { user_id: cat.userId })
  await ann.ok('POST', `${path}/leave`, {})
  return { ...federation, ann, bob, roomId, path }
}

async function join(user: TestUser, roomId: string, server: string): Promise<void> {
  await user.ok('POST', `/join/${encodeURIComponent(roomId)}?via=${server}`, {})
}

async function members(user: TestUser, path: string): Promise<readonly string[]> {
  const { body } = await user.request('GET', `${path}/joined_members`)
  return Object.keys(body.joined ?? {}).toSorted()
}

test('a room that everybody has left is entered through the server that the client names, if it goes on there', async (t) => {
  const { ann, bob, cutOff, roomId, path } = await aRoomThatGoesOnElsewhere(t)
  cutOff(A, false)
  await join(ann, roomId, B)
  assert.ok((await members(ann, path)).includes(bob.userId))
})

test('a room that everybody has left is still here when the named server cannot be reached', async (t) => {
  const { ann, roomId, path } = await aRoomThatGoesOnElsewhere(t)
  await join(ann, roomId, B)
  assert.deepEqual(await members(ann, path), [ann.userId])
})

test('a room that everybody has left is not entered against the word of the server where it goes on', async (t) => {
  const { ann, bob, cutOff, servers, roomId, path } = await aRoomThatGoesOnElsewhere(t)
  await bob.ok('PUT', `${path}/state/m.room.join_rules/`, { join_rule: 'invite' })
  // For him she was there until her leave comes; then she is somebody who is not invited.
  await bob.ok('POST', `${path}/kick`, { user_id: ann.userId })
  cutOff(A, false)
  const { status, body } = await ann.request('POST', `/join/${encodeURIComponent(roomId)}?via=${B}`, {})
  assert.deepEqual([status, body.errcode], [403, 'M_FORBIDDEN'])
  assert.equal((await servers[0]!.parts.heads.byId(roomId as RoomId))!.members.joined.size, 0)
})
