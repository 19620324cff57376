import assert from 'node:assert/strict'
import test from 'node:test'
import type { TestUser } from '../../testing/homeserver.ts'
import { startFederatedHomeservers } from '../../testing/two-homeservers.ts'

const JOINED = 70
const BANNED = 60

test('a room with more members than are stored one by one is joined whole, with all memberships', async (t) => {
  const federation = await startFederatedHomeservers(['a.example', 'b.example'])
  t.after(() => federation[Symbol.asyncDispose]())
  const [a, b] = federation.servers
  const ann = await a!.user('ann')
  const bob = await b!.user('bob')
  const created = await ann.ok('POST', '/createRoom', { preset: 'public_chat', room_version: '11' })
  const roomId = encodeURIComponent(created.room_id)
  for (let index = 1; index < JOINED; index += 1) {
    await (await a!.user(`member${index}`)).ok('POST', `/join/${roomId}`, {})
  }
  for (let index = 0; index < BANNED; index += 1) {
    await ann.ok('POST', `/rooms/${roomId}/ban`, { user_id: `@banned${index}:c.example` })
  }
  await bob.ok('POST', `/join/${roomId}?server_name=a.example`, {})
  assert.deepEqual(await members(bob, roomId), await members(ann, roomId))
  const joined = (await bob.ok('GET', `/rooms/${roomId}/joined_members`)).joined
  assert.equal(Object.keys(joined).length, JOINED + 1)
  const sync = await bob.ok('GET', '/sync')
  assert.equal(sync.rooms.join[created.room_id].summary['m.joined_member_count'], JOINED + 1)
})

async function members(user: TestUser, roomId: string): Promise<Record<string, string>> {
  const { chunk } = (await user.ok('GET', `/rooms/${roomId}/members`)) as {
    chunk: { state_key: string; content: { membership: string } }[]
  }
  return Object.fromEntries(
    chunk
      .map((event) => [event.state_key, event.content.membership] as const)
      .toSorted(([one], [two]) => (one < two ? -1 : 1)),
  )
}
