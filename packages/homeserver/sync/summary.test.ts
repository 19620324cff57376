import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestHomeserver, type TestUser } from '../testing/homeserver.ts'

const LAZY = encodeURIComponent(JSON.stringify({ room: { state: { lazy_load_members: true } } }))

async function roomOfThree(ann: TestUser, others: readonly TestUser[]): Promise<string> {
  const { room_id } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  for (const other of others) await other.ok('POST', `/join/${encodeURIComponent(room_id)}`)
  return room_id
}

test('a room without a name is named by its members, and their member events come along', async () => {
  await using server = await startTestHomeserver()
  const [ann, bob, eve] = [await server.user('ann'), await server.user('bob'), await server.user('eve')]
  const room = await roomOfThree(ann, [bob, eve])
  const { summary } = (await ann.ok('GET', `/sync?filter=${LAZY}`)).rooms.join[room]
  const counts = { 'm.joined_member_count': 3, 'm.invited_member_count': 0 }
  assert.deepEqual(summary, { ...counts, 'm.heroes': [bob.userId, eve.userId] })
})

for (const [type, content] of [
  ['m.room.name', { name: 'House' }],
  ['m.room.canonical_alias', { alias: '#house:example.org' }],
] as const) {
  test(`a room with ${type} needs no heroes, nor their member events`, async () => {
    await using server = await startTestHomeserver()
    const [ann, bob, eve] = [await server.user('ann'), await server.user('bob'), await server.user('eve')]
    const room = await roomOfThree(ann, [bob, eve])
    await ann.ok('PUT', `/directory/room/${encodeURIComponent('#house:example.org')}`, { room_id: room })
    await ann.ok('PUT', `/rooms/${room}/state/${type}/`, content)
    for (let index = 0; index < 12; index += 1) {
      await ann.ok('PUT', `/rooms/${room}/send/m.room.message/${index}`, { body: 'hi' })
    }
    const { state, summary } = (await ann.ok('GET', `/sync?filter=${LAZY}`)).rooms.join[room]
    assert.deepEqual(summary, { 'm.joined_member_count': 3, 'm.invited_member_count': 0 })
    const members = (state.events as readonly { type: string; state_key: string }[])
      .filter((event) => event.type === 'm.room.member')
      .map((event) => event.state_key)
    assert.deepEqual(members, [ann.userId])
    await ann.ok('PUT', `/rooms/${room}/state/${type}/`, {})
    const unnamed = (await ann.ok('GET', `/sync?filter=${LAZY}`)).rooms.join[room]
    assert.deepEqual(unnamed.summary['m.heroes'], [bob.userId, eve.userId])
  })
}
