import assert from 'node:assert/strict'
import test from 'node:test'
import { part, type PeerEvent } from '../admit/testing/peer-events.ts'
import {
  aLyingPeer,
  assertAlive,
  BOB,
  edges,
  event,
  isShown,
  type LyingPeer,
  PEER,
  send,
  stateOf,
} from './testing/lying-peer.ts'

const API = '/_matrix/federation/v1'

async function tips(w: LyingPeer): Promise<readonly string[]> {
  const head = await w.server.parts.heads.byId(w.roomId as never)
  return head!.extremities.map(({ pdu }) => pdu.eventId as string)
}

/** The peer gives one event, and tells this state before it. */
function tellsState(w: LyingPeer, { eventId, body }: PeerEvent, state: readonly string[]): void {
  w.answers.set(`${API}/event/${eventId}`, { origin: PEER, origin_server_ts: 1, pdus: [body] })
  w.answers.set(`${API}/state_ids/${w.roomId}`, { pdu_ids: [...state], auth_chain_ids: [...state] })
}

test('an event that arrives after one that follows it over a gap is no extremity', async (t) => {
  const w = await aLyingPeer(t)
  const [first, second] = [event(w), event(w, { content: { body: 'second' } })]
  const between = event(w, { prev_events: edges(w, [first.eventId]), depth: 21 })
  const latest = event(w, { prev_events: edges(w, [between.eventId, second.eventId]), depth: 22 })
  tellsState(w, between, [...w.state.values()])
  w.answers.set(`${API}/event/${second.eventId}`, { origin: PEER, origin_server_ts: 1, pdus: [second.body] })
  await send(w, latest)
  assert.deepEqual(await tips(w), [latest.eventId])
  // The second of them is followed by the latest; the first by the one between, which is not here yet.
  await send(w, second)
  assert.deepEqual(await tips(w), [latest.eventId])
  await send(w, first)
  await send(w, between)
  assert.deepEqual(await tips(w), [latest.eventId])
  for (const one of [first, second, between]) assert.ok(await isShown(w, one))
  await assertAlive(w)
})

test('what others said while both did not hear each other is fetched, though what was said here meanwhile is deeper', async (t) => {
  const w = await aLyingPeer(t)
  for (let said = 0; said < 5; said += 1)
    await w.ann.ok('PUT', `/rooms/${part(w.roomId)}/send/m.room.message/alone${said}`, {
      msgtype: 'm.text',
      body: 'alone',
    })
  const depth = Number(w.joined.body['depth'])
  const missed = event(w, { depth: depth + 1 })
  const latest = event(w, { prev_events: edges(w, [missed.eventId]), depth: depth + 2 })
  w.answers.set(`${API}/get_missing_events/${w.roomId}`, (body) => ({
    events: [missed.body].filter(() => Number(body['min_depth']) <= depth + 1),
  }))
  await send(w, latest)
  for (const one of [missed, latest]) assert.ok(await isShown(w, one))
})

test('an event of the state that came with a later one is no extremity when it arrives itself, and changes no state', async (t) => {
  const w = await aLyingPeer(t)
  const named = { type: 'm.room.member', state_key: BOB, content: { membership: 'join', displayname: 'Bob' } }
  const renamed = event(w, named)
  const hidden = event(w, { prev_events: edges(w, [renamed.eventId]), depth: 21, content: { body: 'hidden' } })
  const latest = event(w, { prev_events: edges(w, [hidden.eventId]), depth: 22 })
  const state = [...w.state].map(([key, eventId]) => (key === `m.room.member ${BOB}` ? renamed.eventId : eventId))
  tellsState(w, hidden, state)
  w.answers.set(`${API}/event/${renamed.eventId}`, { origin: PEER, origin_server_ts: 1, pdus: [renamed.body] })
  await send(w, latest)
  assert.deepEqual(await tips(w), [latest.eventId])
  const before = await stateOf(w.ann, w.roomId)
  assert.equal(before.get(`m.room.member ${BOB}`), renamed.eventId)
  await send(w, renamed)
  assert.deepEqual(await tips(w), [latest.eventId])
  assert.deepEqual(await stateOf(w.ann, w.roomId), before)
  assert.ok(await isShown(w, renamed))
})

test('a redaction takes effect on what comes after it in the same transaction', async (t) => {
  const w = await aLyingPeer(t)
  const target = event(w, { content: { body: 'regretted', msgtype: 'm.text' } })
  const redaction = event(w, { type: 'm.room.redaction', redacts: target.eventId, content: {} })
  await send(w, redaction, target)
  const { content } = await w.ann.ok('GET', `/rooms/${part(w.roomId)}/event/${part(target.eventId)}`)
  assert.deepEqual(content, {})
})
