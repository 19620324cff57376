/** Many at once: what one decision does to others in the same round. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestHomeserver } from '../testing/homeserver.ts'

test('200 simultaneous sends are all there, once, in one order for everybody', async () => {
  await using server = await startTestHomeserver()
  const ann = await server.user('ann')
  const bob = await server.user('bob')
  const { room_id } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  const room = `/rooms/${encodeURIComponent(room_id)}`
  await bob.ok('POST', `${room}/join`, {})
  const { next_batch } = await bob.ok('GET', '/sync')
  const sends = Array.from({ length: 200 }, (_, index) =>
    (index % 2 === 0 ? ann : bob).ok('PUT', `${room}/send/m.room.message/t${index}`, { index }),
  )
  const sent = new Set((await Promise.all(sends)).map(({ event_id }) => event_id))
  assert.equal(sent.size, 200)
  const seen: string[] = []
  let from = next_batch
  for (;;) {
    const page = await ann.ok('GET', `${room}/messages?dir=f&from=${from}&limit=37`)
    seen.push(...page.chunk.map((event: { event_id: string }) => event.event_id))
    if (page.end === undefined) break
    from = page.end
  }
  assert.deepEqual(new Set(seen), sent)
  assert.equal(seen.length, 200)
})

test('a refused decision leaves its neighbours of the same round alone', async () => {
  await using server = await startTestHomeserver()
  const ann = await server.user('ann')
  const eve = await server.user('eve')
  const { room_id } = await ann.ok('POST', '/createRoom', {})
  const room = `/rooms/${encodeURIComponent(room_id)}`
  const answers = await Promise.all(
    Array.from({ length: 40 }, (_, index) =>
      (index % 4 === 0 ? eve : ann).request('PUT', `${room}/send/m.room.message/t${index}`, { index }),
    ),
  )
  for (const [index, answer] of answers.entries()) assert.equal(answer.status, index % 4 === 0 ? 403 : 200)
})

test('64 simultaneous sends with one transaction id are one event', async () => {
  await using server = await startTestHomeserver()
  const ann = await server.user('ann')
  const { room_id } = await ann.ok('POST', '/createRoom', {})
  const room = `/rooms/${encodeURIComponent(room_id)}`
  const answers = await Promise.all(
    Array.from({ length: 64 }, () => ann.ok('PUT', `${room}/send/m.room.message/same`, { body: 'once' })),
  )
  assert.equal(new Set(answers.map(({ event_id }) => event_id)).size, 1)
  const { chunk } = await ann.ok('GET', `${room}/messages?dir=b&limit=100`)
  assert.equal(chunk.filter((event: { content: { body?: string } }) => event.content.body === 'once').length, 1)
})

test('of 50 simultaneous rooms with one alias one is made, and the others leave nothing behind', async () => {
  await using server = await startTestHomeserver()
  const ann = await server.user('ann')
  const answers = await Promise.all(
    Array.from({ length: 50 }, () => ann.request('POST', '/createRoom', { room_alias_name: 'tea' })),
  )
  assert.equal(answers.filter(({ status }) => status === 200).length, 1)
  assert.equal(answers.filter(({ body }) => body.errcode === 'M_ROOM_IN_USE').length, 49)
  assert.equal((await ann.ok('GET', '/joined_rooms')).joined_rooms.length, 1)
})
