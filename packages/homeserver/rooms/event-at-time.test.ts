import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '@holdfast/platform/clock/manual-clock'
import { startTestHomeserver } from '../testing/homeserver.ts'

test('the closest event in a direction; of events at one time the nearest in the order of the room', async () => {
  const clock = createManualClock({ nowMs: 1_600_000_000_000 })
  await using homeserver = await startTestHomeserver({ clock })
  const ann = await homeserver.user('ann')
  const bob = await homeserver.user('bob')
  const { room_id: room } = await ann.ok('POST', '/createRoom', { preset: 'public_chat' })
  const created = clock.nowMs()
  const ids: string[] = []
  for (let index = 0; index < 4; index += 1) {
    // The second and the third at the same time.
    if (index !== 2) await clock.advance(1_000)
    ids.push((await ann.ok('PUT', `/rooms/${room}/send/m.room.message/${index}`, { body: String(index) })).event_id)
  }
  const path = `/_matrix/client/v1/rooms/${room}/timestamp_to_event`
  const at = async (ts: number, dir: 'f' | 'b'): Promise<string | undefined> => {
    const { status, body } = await ann.request('GET', `${path}?ts=${ts}&dir=${dir}`)
    if (status === 404) assert.equal(body.errcode, 'M_NOT_FOUND')
    return body.event_id
  }
  assert.equal(await at(created + 1, 'f'), ids[0])
  assert.equal(await at(created + 1_000, 'f'), ids[0])
  assert.equal(await at(created + 1_001, 'f'), ids[1])
  assert.equal(await at(created + 2_500, 'b'), ids[2])
  assert.equal(await at(created + 2_000, 'b'), ids[2])
  assert.equal(await at(created + 3_001, 'f'), undefined)
  assert.equal(await at(created - 1, 'b'), undefined)
  assert.equal(await at(2 ** 53, 'b'), ids[3])
  assert.equal(await at(-(2 ** 53), 'b'), undefined)
  const stranger = await bob.request('GET', `${path}?ts=0&dir=f`)
  assert.deepEqual([stranger.status, stranger.body.errcode], [403, 'M_FORBIDDEN'])
  for (const query of ['', 'ts=1', 'dir=f', 'ts=x&dir=f', 'ts=1&dir=x', 'ts=1.5&dir=f']) {
    assert.equal((await ann.request('GET', `${path}?${query}`)).status, 400, query)
  }
})

test('who joined a room with joined visibility finds nothing from before', async () => {
  const clock = createManualClock({ nowMs: 1_600_000_000_000 })
  await using homeserver = await startTestHomeserver({ clock })
  const ann = await homeserver.user('ann')
  const bob = await homeserver.user('bob')
  const initial_state = [{ type: 'm.room.history_visibility', content: { history_visibility: 'joined' } }]
  const { room_id: room } = await ann.ok('POST', '/createRoom', { preset: 'public_chat', initial_state })
  const hidden = await ann.ok('PUT', `/rooms/${room}/send/m.room.message/1`, { body: 'hidden' })
  await clock.advance(1_000)
  await bob.ok('POST', `/join/${room}`, {})
  await clock.advance(1_000)
  const seen = await ann.ok('PUT', `/rooms/${room}/send/m.room.message/2`, { body: 'seen' })
  const path = `/_matrix/client/v1/rooms/${room}/timestamp_to_event`
  const found = await bob.ok('GET', `${path}?ts=${clock.nowMs() - 1_500}&dir=b`).catch(() => undefined)
  assert.notEqual(found?.event_id, hidden.event_id)
  assert.equal((await bob.ok('GET', `${path}?ts=${clock.nowMs()}&dir=f`)).event_id, seen.event_id)
})
