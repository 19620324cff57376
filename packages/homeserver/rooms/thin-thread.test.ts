/** The main job, once through every layer: register, make a room, talk, sync, restart. */
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { startTestHomeserver } from '../testing/homeserver.ts'

test('two users meet in a room, talk, and find everything again after a restart', async () => {
  await using server = await startTestHomeserver()
  const ann = await server.user('ann')
  const bob = await server.user('bob')
  const { room_id: roomId } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', name: 'Tea' })
  const room = `/rooms/${encodeURIComponent(roomId)}`
  await bob.ok('POST', `${room}/join`, {})
  const first = await bob.ok('GET', '/sync')
  assert.equal(
    first.rooms.join[roomId].state.events.length + first.rooms.join[roomId].timeline.events.length >= 6,
    true,
  )

  const waiting = bob.ok('GET', `/sync?since=${first.next_batch}&timeout=10000`)
  const sent = await ann.ok('PUT', `${room}/send/m.room.message/1`, { msgtype: 'm.text', body: 'hello' })
  const next = await waiting
  const [message] = next.rooms.join[roomId].timeline.events
  assert.equal(message.content.body, 'hello')
  assert.equal(message.event_id, sent.event_id)
  assert.equal(message.unsigned.transaction_id, undefined)

  const again = await ann.ok('PUT', `${room}/send/m.room.message/1`, { msgtype: 'm.text', body: 'hello' })
  assert.equal(again.event_id, sent.event_id)
  await server.restart()
  const replayed = await ann.ok('PUT', `${room}/send/m.room.message/1`, { msgtype: 'm.text', body: 'hello' })
  assert.equal(replayed.event_id, sent.event_id)
  const later = await bob.ok('GET', `/sync?since=${next.next_batch}`)
  assert.equal(later.rooms, undefined)
  const anew = await bob.ok('GET', '/sync')
  assert.equal(anew.rooms.join[roomId].timeline.events.at(-1).event_id, sent.event_id)
})
