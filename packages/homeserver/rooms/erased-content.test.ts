import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestHomeserver, type TestHomeserver, type TestResponse, type TestUser } from '../testing/homeserver.ts'

async function bodies(user: TestUser, room: string): Promise<TestResponse['body']> {
  const { chunk } = await user.ok('GET', `/rooms/${room}/messages?dir=f&limit=100`)
  const messages = (chunk as readonly { type: string; content: { body?: string } }[]).filter(
    ({ type }) => type === 'm.room.message',
  )
  return messages.map(({ content }) => content.body)
}

async function erase(user: TestUser, name: string): Promise<void> {
  const auth = {
    type: 'm.login.password',
    identifier: { type: 'm.id.user', user: user.userId },
    password: `secret-${name}`,
  }
  await user.ok('POST', '/account/deactivate', { auth, erase: true })
}

async function roomOf(server: TestHomeserver): Promise<{ ann: TestUser; bob: TestUser; eve: TestUser; room: string }> {
  const [ann, bob, eve] = [await server.user('ann'), await server.user('bob'), await server.user('eve')]
  const { room_id: room } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', name: 'House' })
  await bob.ok('POST', `/join/${encodeURIComponent(room)}`)
  await ann.ok('PUT', `/rooms/${room}/send/m.room.message/1`, { body: 'from ann' })
  await bob.ok('PUT', `/rooms/${room}/send/m.room.message/1`, { body: 'from bob' })
  await eve.ok('POST', `/join/${encodeURIComponent(room)}`)
  return { ann, bob, eve, room }
}

test('[ROOM12] what an erased user said is for those who were in the room, also after a restart', async () => {
  await using server = await startTestHomeserver()
  const { ann, bob, eve, room } = await roomOf(server)
  assert.deepEqual(await bodies(eve, room), ['from ann', 'from bob'])
  await erase(ann, 'ann')
  for (const _ of ['before', 'after']) {
    assert.deepEqual(await bodies(bob, room), ['from ann', 'from bob'])
    assert.deepEqual(await bodies(eve, room), [undefined, 'from bob'])
    await server.restart()
  }
  // Its state stays what it is: without its name the room would be another one.
  assert.equal((await eve.ok('GET', `/rooms/${room}/state/m.room.name/`)).name, 'House')
})

test('a sync in the federation format shows signed events with their ids, and nothing of what was erased', async () => {
  await using server = await startTestHomeserver()
  const { ann, eve, room } = await roomOf(server)
  await erase(ann, 'ann')
  const filter = encodeURIComponent(JSON.stringify({ event_format: 'federation', room: { timeline: { limit: 100 } } }))
  const { timeline } = (await eve.ok('GET', `/sync?filter=${filter}`)).rooms.join[room]
  const messages = (timeline.events as TestResponse['body'][]).filter(({ type }) => type === 'm.room.message')
  assert.deepEqual(
    messages.map(({ content }) => content),
    [{}, { body: 'from bob' }],
  )
  for (const event of timeline.events) {
    assert.equal(event.room_id, room)
    assert.match(event.event_id, /^\$/)
    assert.ok(Object.keys(event.signatures['example.org'])[0]?.startsWith('ed25519:'))
    for (const member of ['prev_events', 'auth_events', 'depth', 'hashes']) assert.ok(member in event)
  }
})

test('a redaction names an event of its room', async () => {
  await using server = await startTestHomeserver()
  const { ann, bob, room } = await roomOf(server)
  const { room_id: other } = await bob.ok('POST', '/createRoom', {})
  const { event_id } = await bob.ok('PUT', `/rooms/${other}/send/m.room.message/9`, { body: 'x' })
  const id = encodeURIComponent(event_id)
  const inOther = await bob.request('PUT', `/rooms/${room}/redact/${id}/2`, {})
  assert.deepEqual([inOther.status, inOther.body.errcode], [400, 'M_INVALID_PARAM'])
  // Whether an event is in a room is for its members to know.
  for (const one of [id, '$nowhere']) {
    const outside = await ann.request('PUT', `/rooms/${other}/redact/${one}/3`, {})
    assert.deepEqual([outside.status, outside.body.errcode], [403, 'M_FORBIDDEN'])
  }
})
