import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestHomeserver, type TestResponse, type TestUser } from '../testing/homeserver.ts'

const FILTER = { room: { state: { lazy_load_members: true }, timeline: { limit: 5 } } }

function membersIn(room: TestResponse['body']): readonly (readonly [string, string])[] {
  const events = (room?.state.events ?? []) as readonly {
    type: string
    state_key: string
    content: { membership: string }
  }[]
  return events
    .filter(({ type }) => type === 'm.room.member')
    .map(({ state_key, content }) => [state_key, content.membership] as const)
    .toSorted(([one], [other]) => (one < other ? -1 : 1))
}

async function say(user: TestUser, room: string, times: number): Promise<void> {
  for (let index = 0; index < times; index += 1) {
    await user.ok('PUT', `/rooms/${room}/send/m.room.message/${crypto.randomUUID()}`, { body: 'hi' })
  }
}

test('of a gap all changes of members are told, of the rest only who speaks, and the reader at the beginning', async () => {
  await using server = await startTestHomeserver()
  const users = await Promise.all(['ann', 'bob', 'eve', 'dan', 'kim'].map((name) => server.user(name)))
  const [ann, bob, eve, dan, kim] = users as [TestUser, TestUser, TestUser, TestUser, TestUser]
  const { room_id: room } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', name: 'House' })
  for (const user of [bob, eve, kim]) await user.ok('POST', `/join/${encodeURIComponent(room)}`)
  await say(bob, room, 6)
  const sync = async (since: string) => {
    const answer = await ann.ok('GET', `/sync?filter=${encodeURIComponent(JSON.stringify(FILTER))}${since}`)
    return { members: membersIn(answer.rooms?.join?.[room]), since: `&since=${answer.next_batch}` }
  }
  const first = await sync('')
  assert.deepEqual(first.members, [
    [ann.userId, 'join'],
    [bob.userId, 'join'],
  ])
  await dan.ok('POST', `/join/${encodeURIComponent(room)}`)
  await kim.ok('POST', `/rooms/${room}/leave`)
  await say(eve, room, 6)
  const second = await sync(first.since)
  assert.deepEqual(second.members, [
    [dan.userId, 'join'],
    [eve.userId, 'join'],
    [kim.userId, 'leave'],
  ])
  await say(dan, room, 1)
  await say(ann, room, 1)
  const third = await sync(second.since)
  // The reader is told of themselves once.
  assert.deepEqual(third.members, [])
})
