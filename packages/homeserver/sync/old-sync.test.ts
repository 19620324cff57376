import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestHomeserver, type TestResponse, type TestUser } from '../testing/homeserver.ts'

type Event = { readonly type: string; readonly room_id?: string; readonly content: TestResponse['body'] }

async function openRoom(user: TestUser, visibility = 'world_readable'): Promise<string> {
  const initial_state = [{ type: 'm.room.history_visibility', content: { history_visibility: visibility } }]
  return (await user.ok('POST', '/createRoom', { preset: 'public_chat', initial_state })).room_id
}

/** The first answer of the stream with an event of the type, from a token on. */
async function awaitEvent(user: TestUser, path: string, from: string, type: string): Promise<[Event, string]> {
  let token = from
  for (let tries = 0; tries < 5; tries += 1) {
    const { chunk, end } = await user.ok('GET', `/events?timeout=3000&from=${token}${path}`)
    const event = (chunk as readonly Event[]).find((one) => one.type === type)
    token = end
    if (event !== undefined) return [event, token]
  }
  throw new Error(`no ${type} in the stream`)
}

test('events of the snapshots carry sender and age where clients of the first version look for them', async () => {
  await using server = await startTestHomeserver()
  const ann = await server.user('ann')
  const room = await openRoom(ann)
  for (const body of [
    await ann.ok('GET', `/rooms/${room}/initialSync`),
    (await ann.ok('GET', '/initialSync')).rooms[0],
  ]) {
    for (const event of [...body.state, ...body.messages.chunk]) {
      assert.equal(event.user_id, ann.userId)
      assert.equal(event.sender, ann.userId)
      assert.equal(typeof event.age, 'number')
    }
  }
})

test('a snapshot holds as many messages as asked for, also none', async () => {
  await using server = await startTestHomeserver()
  const ann = await server.user('ann')
  const room = await openRoom(ann)
  for (const [limit, count] of [
    ['0', 0],
    ['2', 2],
    ['-1', 6],
    ['x', 6],
    ['999999999999', 6],
  ] as const) {
    const { messages } = await ann.ok('GET', `/rooms/${room}/initialSync?limit=${limit}`)
    assert.equal(messages.chunk.length, count, `limit ${limit}`)
  }
  assert.deepEqual((await ann.ok('GET', '/initialSync?limit=0')).rooms[0].messages.chunk, [])
})

test('account data and tags appear in the event stream', async () => {
  await using server = await startTestHomeserver()
  const ann = await server.user('ann')
  const room = await openRoom(ann)
  const { end } = await ann.ok('GET', '/events?timeout=0')
  await ann.ok('PUT', `/user/${ann.userId}/rooms/${room}/tags/u.home`, {})
  await ann.ok('PUT', `/user/${ann.userId}/account_data/org.test`, { a: 1 })
  const [tag] = await awaitEvent(ann, '', end, 'm.tag')
  assert.deepEqual([tag.room_id, tag.content], [room, { tags: { 'u.home': {} } }])
  assert.deepEqual((await awaitEvent(ann, '', end, 'org.test'))[0].content, { a: 1 })
})

test('who looks into a world-readable room hears what is said, who is there, who reads and who types', async () => {
  await using server = await startTestHomeserver()
  const [ann, bob] = [await server.user('ann'), await server.user('bob')]
  const room = await openRoom(ann)
  const path = `&room_id=${encodeURIComponent(room)}`
  let { end } = await bob.ok('GET', `/events?timeout=0${path}`)
  const waiting = awaitEvent(bob, path, end, 'm.room.message')
  const { event_id } = await ann.ok('PUT', `/rooms/${room}/send/m.room.message/1`, { body: 'mice' })
  let event: Event
  ;[event, end] = await waiting
  assert.equal(event.content.body, 'mice')
  await ann.ok('PUT', `/presence/${ann.userId}/status`, { presence: 'unavailable', status_msg: 'here' })
  ;[event, end] = await awaitEvent(bob, path, end, 'm.presence')
  assert.equal(event.content.user_id, ann.userId)
  await ann.ok('POST', `/rooms/${room}/receipt/m.read/${encodeURIComponent(event_id)}`, {})
  ;[event, end] = await awaitEvent(bob, path, end, 'm.receipt')
  assert.equal(event.room_id, room)
  await ann.ok('PUT', `/rooms/${room}/typing/${ann.userId}`, { typing: true, timeout: 5000 })
  ;[event, end] = await awaitEvent(bob, path, end, 'm.typing')
  assert.deepEqual(event.content.user_ids, [ann.userId])
})

test('nobody looks into a room that is not world-readable', async () => {
  await using server = await startTestHomeserver()
  const [ann, bob] = [await server.user('ann'), await server.user('bob')]
  const room = await openRoom(ann, 'shared')
  const answer = await bob.request('GET', `/events?timeout=0&room_id=${encodeURIComponent(room)}`)
  assert.deepEqual([answer.status, answer.body.errcode], [403, 'M_FORBIDDEN'])
})
