import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import { part, type PeerEvent } from '../admit/testing/peer-events.ts'
import {
  aLyingPeer,
  assertAlive,
  BOB,
  edges,
  event,
  hasError,
  isShown,
  type LyingPeer,
  PEER,
  send,
  stateOf,
} from './testing/lying-peer.ts'

const API = '/_matrix/federation/v1'

/** Changed after it was hashed and signed. */
function spoiled({ body }: PeerEvent, changes: JsonObject): JsonObject {
  return { ...body, ...changes }
}

function badlySigned(w: LyingPeer, one: PeerEvent): JsonObject {
  return spoiled(one, { signatures: { [PEER]: { [w.peer.key.keyId]: 'A'.repeat(86) } } })
}

function served(w: LyingPeer, ...events: readonly { readonly eventId: string; readonly body: JsonValue }[]): void {
  for (const { eventId, body } of events) {
    w.answers.set(`${API}/event/${eventId}`, { origin: PEER, origin_server_ts: 1, pdus: [body] })
  }
}

const NUMBERS: readonly JsonValue[] = [2 ** 53, -(2 ** 53), 2 ** 63, 1e300, 1.5, -1, '1', null, [], true]

for (const version of ['1', '10', '12']) {
  test(`a depth that not every server can read is taken from no answer: version ${version}`, async (t) => {
    const w = await aLyingPeer(t, { version })
    for (const depth of NUMBERS) {
      const between = event(w)
      const latest = event(w, { prev_events: edges(w, [between.eventId]), depth: 21 })
      w.answers.set(`${API}/get_missing_events/${w.roomId}`, { events: [spoiled(between, { depth })] })
      const results = await send(w, latest)
      assert.ok(hasError(results, latest), JSON.stringify(depth))
      assert.deepEqual([await isShown(w, between), await isShown(w, latest)], [false, false], JSON.stringify(depth))
    }
    w.answers.delete(`${API}/get_missing_events/${w.roomId}`)
    await assertAlive(w)
    // What we send ourselves is sound all the same.
    const ours = w.transactions.flatMap(({ pdus }) => pdus as JsonObject[])
    assert.ok(ours.length > 0)
    for (const { depth } of ours) assert.ok(Number.isSafeInteger(depth))
  })

  test(`events whose signature is wrong are taken from no answer, nor what builds on them: version ${version}`, async (t) => {
    const w = await aLyingPeer(t, { version })
    const forged = event(w, { content: { body: 'forged' } })
    const latest = event(w, { prev_events: edges(w, [forged.eventId]), depth: 21 })
    const bad = badlySigned(w, forged)
    w.answers.set(`${API}/get_missing_events/${w.roomId}`, { events: [bad] })
    served(w, { eventId: forged.eventId, body: bad })
    assert.ok(hasError(await send(w, latest), latest))
    assert.deepEqual([await isShown(w, forged), await isShown(w, latest)], [false, false])
    // The same in a state, and in what authorises an event.
    const joined = event(w, {
      type: 'm.room.member',
      state_key: `@eve:${PEER}`,
      sender: `@eve:${PEER}`,
      content: { membership: 'join' },
    })
    const eves = [
      ...(event(w).body['auth_events'] as JsonValue[]).slice(0, -1),
      ...(edges(w, [joined.eventId]) as JsonValue[]),
    ]
    const said = event(w, { sender: `@eve:${PEER}`, auth_events: eves })
    w.answers.set(`${API}/event_auth/${w.roomId}/${said.eventId}`, { auth_chain: [badlySigned(w, joined)] })
    const ids = [...w.state.values(), joined.eventId]
    w.answers.set(`${API}/state_ids/${w.roomId}`, { pdu_ids: ids, auth_chain_ids: ids })
    served(w, { eventId: joined.eventId, body: badlySigned(w, joined) })
    assert.ok(hasError(await send(w, said), said))
    assert.equal(await isShown(w, said), false)
    assert.deepEqual(await stateOf(w.ann, w.roomId), w.state)
    await assertAlive(w)
  })

  test(`a state that leaves out most of the room replaces nothing: version ${version}`, async (t) => {
    const w = await aLyingPeer(t, { version })
    await w.ann.ok('PUT', `/rooms/${part(w.roomId)}/state/m.room.topic`, { topic: 'ours' })
    const before = await stateOf(w.ann, w.roomId)
    const hidden = event(w, { content: { body: 'hidden' } })
    const few = ['m.room.create ', 'm.room.power_levels ', `m.room.member ${BOB}`].map((key) => w.state.get(key)!)
    w.answers.set(`${API}/state_ids/${w.roomId}`, { pdu_ids: few, auth_chain_ids: few })
    served(w, hidden)
    const tip = (await w.server.parts.heads.byId(w.roomId as never))!.extremities[0]!.pdu.eventId
    const latest = event(w, { prev_events: edges(w, [hidden.eventId, tip]), depth: 21 })
    await send(w, latest)
    assert.deepEqual(await stateOf(w.ann, w.roomId), before)
    // An event beside ours, which does not claim to follow it.
    const alone = event(w, { prev_events: edges(w, [hidden.eventId]), depth: 21 })
    await send(w, alone)
    assert.deepEqual(await stateOf(w.ann, w.roomId), before)
    await assertAlive(w)
  })

  test(`what lacks an auth event waits until it can be had: version ${version}`, async (t) => {
    const w = await aLyingPeer(t, { version })
    const renamed = { type: 'm.room.member', state_key: BOB, content: { membership: 'join', displayname: 'Bob' } }
    const missing = event(w, renamed)
    const [first, ...others] = (event(w).body['auth_events'] as JsonValue[]).toReversed()
    assert.ok(first !== undefined)
    const auth = [...others.toReversed(), ...(edges(w, [missing.eventId]) as JsonValue[])]
    const prev = edges(w, [missing.eventId])
    const one = event(w, { auth_events: auth, prev_events: prev, depth: 21 })
    const two = event(w, { auth_events: auth, prev_events: edges(w, [one.eventId]), depth: 22 })
    const results = await send(w, one, two)
    assert.deepEqual([hasError(results, one), hasError(results, two)], [true, true])
    assert.deepEqual([await isShown(w, one), await isShown(w, two)], [false, false])
    w.answers.set(`${API}/get_missing_events/${w.roomId}`, { events: [missing.body] })
    assert.deepEqual(await send(w, one, two), { [one.eventId]: {}, [two.eventId]: {} })
    assert.deepEqual([await isShown(w, one), await isShown(w, two)], [true, true])
  })

  test(`an auth chain is believed no further than its own auth events allow: version ${version}`, async (t) => {
    const w = await aLyingPeer(t, { version })
    const usual = event(w).body['auth_events'] as JsonValue[]
    // Bob may not change the power levels, whoever says that it happened.
    const levels = event(w, { type: 'm.room.power_levels', state_key: '', content: { users: { [BOB]: 100 } } })
    const without = usual.filter((edge) => !JSON.stringify(edge).includes(w.state.get('m.room.power_levels ')!))
    const auth = [...without, ...(edges(w, [levels.eventId]) as JsonValue[])]
    const topic = { type: 'm.room.topic', state_key: '', content: { topic: 'taken over' }, auth_events: auth }
    const taken = event(w, topic)
    w.answers.set(`${API}/event_auth/${w.roomId}/${taken.eventId}`, { auth_chain: [levels.body] })
    const told = event(w, { ...topic, prev_events: edges(w, [levels.eventId]), depth: 21 })
    const ids = [...w.state.values(), levels.eventId]
    w.answers.set(`${API}/state_ids/${w.roomId}`, { pdu_ids: ids, auth_chain_ids: ids })
    w.answers.set(`${API}/event_auth/${w.roomId}/${told.eventId}`, { auth_chain: [levels.body] })
    served(w, levels)
    await send(w, taken, told)
    assert.deepEqual([await isShown(w, taken), await isShown(w, told)], [false, false])
    assert.deepEqual(await stateOf(w.ann, w.roomId), w.state)
    await assertAlive(w)
  })
}

test('no state is asked for where the events between are none that any server may take', async (t) => {
  const w = await aLyingPeer(t)
  const between = event(w)
  const latest = event(w, { prev_events: edges(w, [between.eventId]), depth: 21 })
  const bad = spoiled(between, { content: { body: 'a float', number: 1.5 } })
  w.answers.set(`${API}/get_missing_events/${w.roomId}`, { events: [bad] })
  w.asked.length = 0
  assert.ok(hasError(await send(w, latest), latest))
  assert.deepEqual(
    w.asked.filter((path) => path.includes('/state')),
    [],
  )
  await assertAlive(w)
})

const NONSENSE: readonly JsonValue[] = [
  null,
  [],
  'x',
  5,
  {},
  { events: 'x', pdus: 'x', pdu_ids: 'x', auth_chain_ids: 'x', auth_chain: 'x' },
  {
    events: [null, 5, 'x', [], {}],
    pdus: [null, {}, []],
    pdu_ids: [1, {}],
    auth_chain_ids: [null],
    auth_chain: [[], 1],
  },
]

test('an answer of any form leaves the event out, and the room as it was', async (t) => {
  const w = await aLyingPeer(t)
  for (const nonsense of NONSENSE) {
    w.answers.set(`${API}/*`, nonsense)
    const lacking = event(w, { prev_events: [`$${'n'.repeat(43)}`], depth: 21 })
    assert.ok(hasError(await send(w, lacking), lacking))
    assert.equal(await isShown(w, lacking), false)
  }
  w.answers.delete(`${API}/*`)
  assert.deepEqual(await stateOf(w.ann, w.roomId), w.state)
  await assertAlive(w)
})

test('a server that always names one more missing event is asked a bounded number of times', async (t) => {
  const w = await aLyingPeer(t)
  let made = 0
  const further = (): PeerEvent => {
    made += 1
    return event(w, { prev_events: [`$${String(made).padStart(43, 'm')}`], depth: 10_000 - made })
  }
  w.answers.set(`${API}/get_missing_events/${w.roomId}`, () => ({
    events: Array.from({ length: 500 }, () => further().body),
  }))
  w.answers.set(`${API}/state_ids/${w.roomId}`, () => {
    const ids = Array.from({ length: 40 }, () => further().eventId)
    return { pdu_ids: ids, auth_chain_ids: ids }
  })
  w.asked.length = 0
  const lacking = Array.from({ length: 50 }, () => further())
  const results = await send(w, ...lacking)
  assert.ok(lacking.every((one) => hasError(results, one)))
  assert.ok(w.asked.length < 1_000, `${w.asked.length} questions`)
  await assertAlive(w)
})
