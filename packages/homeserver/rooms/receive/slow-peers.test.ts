import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonValue } from '@holdfast/protocol/json/value'
import { until } from '../../testing/until.ts'
import { finish, part, template } from '../admit/testing/peer-events.ts'
import { aLyingPeer, anotherPeer, edges, event, hasError, isShown, send } from './testing/lying-peer.ts'

const API = '/_matrix/federation/v1'
const OTHER = '192.0.2.2:8448'

test('a server that does not answer what its events build on keeps no other from the room', async (t) => {
  const w = await aLyingPeer(t)
  const other = await anotherPeer(w, OTHER)
  const never = Promise.withResolvers<JsonValue>()
  let questions = 0
  w.answers.set(`${API}/get_missing_events/${w.roomId}`, () => {
    questions += 1
    return never.promise
  })
  const lacking = [1, 2, 3].map((number) =>
    event(w, { prev_events: [`$${String(number).padStart(43, 'n')}`], depth: 21 }),
  )
  const sent = lacking.map((one) => send(w, one))
  await until(async () => questions > 0, 'the slow server is asked')
  // What builds on nothing unknown is taken at once, and so is who wants to join.
  const [create, levels] = ['m.room.create ', 'm.room.power_levels '].map((key) => w.state.get(key)!)
  const said = finish(other.peer, w.version, {
    ...event(w).body,
    signatures: {},
    sender: `@carl:${OTHER}`,
    prev_events: edges(w, [other.joined.eventId]),
    auth_events: edges(w, [create!, levels!, other.joined.eventId]),
  })
  const results = await other.peer.ok('PUT', '/v1/send/fast1', {
    origin: OTHER,
    origin_server_ts: 1,
    pdus: [said.body],
  })
  assert.deepEqual(results, { pdus: { [said.eventId]: {} } })
  assert.ok(await isShown(w, said))
  const about = { roomId: w.roomId, userId: `@eve:${OTHER}`, version: w.version }
  const joined = finish(other.peer, w.version, await template(other.peer, 'join', about))
  await other.peer.ok('PUT', `/v2/send_join/${part(w.roomId)}/${part(joined.eventId)}`, joined.body)
  // It waits for itself alone.
  assert.equal(questions, 1)
  never.resolve({ events: [] })
  for (const [index, result] of (await Promise.all(sent)).entries()) assert.ok(hasError(result, lacking[index]!))
})

test('events of a room that is busy are refused, and the transaction is not: it has events of other rooms', async (t) => {
  const w = await aLyingPeer(t)
  await w.ann.ok('POST', `/rooms/${part(w.roomId)}/leave`, {})
  const busy = Promise.withResolvers<undefined>()
  const { inboxes } = w.server.parts
  const waiting = Array.from({ length: 100 }, () => inboxes.run(w.roomId as never, () => busy.promise))
  const one = event(w)
  assert.ok(hasError(await send(w, one), one))
  busy.resolve(undefined)
  await Promise.all(waiting)
})
