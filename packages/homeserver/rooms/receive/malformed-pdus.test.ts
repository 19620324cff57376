import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import { contentHash } from '@holdfast/protocol/event/hash'
import { signEventJson } from '@holdfast/protocol/event/sign'
import { rulesFor } from '@holdfast/protocol/room-version/rules'
import { part, type PeerEvent } from '../admit/testing/peer-events.ts'
import {
  aLyingPeer,
  anotherRoom,
  assertAlive,
  BOB,
  edges,
  event,
  hasError,
  isShown,
  PEER,
  send,
  stateOf,
} from './testing/lying-peer.ts'

/** Changed after it was hashed and signed. */
function spoiled({ eventId, body }: PeerEvent, changes: JsonObject): PeerEvent {
  return { eventId, body: { ...body, ...changes } }
}

const MALFORMED: Record<string, JsonObject> = {
  'a depth below nothing': { depth: -1 },
  'a depth that is text': { depth: '1' },
  'no depth': { depth: null },
  'a time that is text': { origin_server_ts: 'now' },
  'a type that is none': { type: 5 },
  'a long type': { type: 'x'.repeat(256) },
  'content that is a list': { content: [] },
  'a sender that is none': { sender: 'bob' },
  'a state key that is a number': { state_key: 3 },
  'hashes that are none': { hashes: [] },
  'signatures that are text': { signatures: 'x' },
  'signatures of signatures': { signatures: { [PEER]: { 'ed25519:a': { 'ed25519:a': 'x' } } } },
  'previous events that are text': { prev_events: 'x' },
  'previous events that are numbers': { prev_events: [1, null, {}] },
  'too many previous events': { prev_events: Array.from({ length: 21 }, (_, n) => `$${String(n).padStart(43, 'a')}`) },
  'auth events that are an object': { auth_events: {} },
  'auth events in a list': { auth_events: [[]] },
  'unsigned data that is text': { unsigned: 'x' },
  'more than fits': { content: { body: 'x'.repeat(66_000) } },
}

for (const version of ['1', '5', '10', '12']) {
  test(`malformed events harm no neighbour in their transaction: version ${version}`, async (t) => {
    const w = await aLyingPeer(t, { version })
    const goods: PeerEvent[] = []
    const pdus: (PeerEvent | JsonValue)[] = [null, 5, 'x', [], {}, { room_id: 5 }, { room_id: w.roomId }]
    for (const [what, changes] of Object.entries(MALFORMED)) {
      const good = event(w, { content: { body: `beside ${what}`, msgtype: 'm.text' } })
      goods.push(good)
      pdus.push(spoiled(event(w), changes), good)
    }
    const results = await send(w, ...pdus)
    for (const good of goods) {
      assert.deepEqual(results[good.eventId], {})
      assert.ok(await isShown(w, good))
    }
    await assertAlive(w)
  })

  test(`an event of the greatest depth does not come after all later ones: version ${version}`, async (t) => {
    const w = await aLyingPeer(t, { version })
    const deep = event(w, { depth: Number.MAX_SAFE_INTEGER })
    assert.deepEqual(await send(w, deep), { [deep.eventId]: {} })
    const { next_batch: since } = await w.ann.ok('GET', '/sync')
    const { event_id: own } = await w.ann.ok('PUT', `/rooms/${part(w.roomId)}/send/m.room.message/1`, { body: 'after' })
    const { chunk } = await w.ann.ok('GET', `/rooms/${part(w.roomId)}/messages?dir=b&limit=2`)
    assert.deepEqual(
      chunk.map((one: { event_id: string }) => one.event_id),
      [own, deep.eventId],
    )
    const { events } = (await w.ann.ok('GET', `/sync?since=${part(since)}`)).rooms.join[w.roomId].timeline
    assert.deepEqual(
      events.map((one: { event_id: string }) => one.event_id),
      [own],
    )
    await assertAlive(w)
  })

  test(`auth events that cannot be are refused: version ${version}`, async (t) => {
    const w = await aLyingPeer(t, { version })
    const room = { room_version: version, preset: 'public_chat' }
    const elsewhere = await stateOf(w.ann, (await w.ann.ok('POST', '/createRoom', room)).room_id)
    const message = event(w)
    await send(w, message)
    const own = (event(w).body['auth_events'] as JsonValue[]).map((edge) =>
      Array.isArray(edge) ? edge[0] : edge,
    ) as string[]
    const lists: Record<string, readonly string[]> = {
      'an event of another room': [...own.slice(0, -1), elsewhere.get('m.room.member @ann:example.org')!],
      'the power levels of another room': [...own, elsewhere.get('m.room.power_levels ')!],
      'a message': [...own, message.eventId],
      'one twice': [...own, own.at(-1)!],
      'all ten times': Array.from({ length: 10 }, () => own.at(-1)!),
      'what does not exist': [...own, version === '1' ? '$nothing:other.example' : `$${'z'.repeat(43)}`],
      'what the rules do not select': [...own, w.state.get('m.room.history_visibility ')!],
      'no power levels': own.filter((eventId) => eventId !== w.state.get('m.room.power_levels ')),
      nothing: [],
    }
    for (const [what, list] of Object.entries(lists)) {
      // Of power levels that are not cited only an event that needs them is the worse.
      const change = what === 'no power levels' ? { type: 'm.room.topic', state_key: '', content: { topic: 'x' } } : {}
      const wrong = event(w, { auth_events: edges(w, list), ...change })
      await send(w, wrong)
      assert.equal(await isShown(w, wrong), false, what)
    }
    await assertAlive(w)
  })

  test(`a room that has begun does not begin again: version ${version}`, async (t) => {
    const w = await aLyingPeer(t, { version })
    const content = { room_version: version, creator: BOB }
    const creation = { type: 'm.room.create', state_key: '', content, depth: 1, auth_events: [] }
    for (const change of [{ prev_events: [] }, {}]) {
      const again = event(w, { ...creation, ...change })
      await send(w, again)
      assert.equal(await isShown(w, again), false)
      const member = event(w, {
        type: 'm.room.power_levels',
        state_key: '',
        content: { users: { [BOB]: 100 } },
        auth_events: edges(w, [again.eventId, w.joined.eventId]),
        prev_events: edges(w, [again.eventId]),
      })
      await send(w, member)
      assert.equal(await isShown(w, member), false)
    }
    assert.deepEqual(await stateOf(w.ann, w.roomId), w.state)
    await assertAlive(w)
  })

  test(`who was banned is not heard by saying it before the ban: version ${version}`, async (t) => {
    const w = await aLyingPeer(t, { version })
    await w.ann.ok('POST', `/rooms/${part(w.roomId)}/ban`, { user_id: BOB })
    const { next_batch: since } = await w.ann.ok('GET', '/sync')
    const evasion = event(w)
    assert.deepEqual(await send(w, evasion), { [evasion.eventId]: {} })
    assert.equal(await isShown(w, evasion), false)
    const { event_id: own } = await w.ann.ok('PUT', `/rooms/${part(w.roomId)}/send/m.room.message/1`, { body: 'quiet' })
    const { events } = (await w.ann.ok('GET', `/sync?since=${part(since)}`)).rooms.join[w.roomId].timeline
    assert.deepEqual(
      events.map((one: { event_id: string }) => one.event_id),
      [own],
    )
    const head = await w.server.parts.heads.byId(w.roomId as never)
    assert.deepEqual(
      head!.extremities.map(({ pdu }) => pdu.eventId),
      [own],
    )
  })
}

test('events through a server that the room shuts out are refused one by one, whoever made them', async (t) => {
  const w = await aLyingPeer(t)
  const acl = { allow: ['*'], deny: ['192.0.2.1'] }
  await w.ann.ok('PUT', `/rooms/${part(w.roomId)}/state/m.room.server_acl`, acl)
  const shut = event(w)
  assert.ok(hasError(await send(w, shut), shut))
  assert.equal(await isShown(w, shut), false)
})

test('an event that one server signed for the user of another is dropped', async (t) => {
  const w = await aLyingPeer(t)
  const forged = event(w, { sender: w.ann.userId })
  const signed = forged.body['signatures'] as JsonObject
  for (const signatures of [signed, { ...signed, 'example.org': { 'ed25519:a': 'A'.repeat(86) } }]) {
    const one = spoiled(forged, { signatures })
    assert.ok(hasError(await send(w, one), one))
    assert.equal(await isShown(w, one), false)
  }
  await assertAlive(w)
})

test('refused state never becomes state, and what is sent after it is', async (t) => {
  const w = await aLyingPeer(t)
  const topic = { type: 'm.room.topic', state_key: '', content: { topic: 'taken over' } }
  const refused = event(w, topic)
  const after = event(w, { prev_events: [refused.eventId], depth: 21 })
  const fork = event(w, { depth: 21 })
  const both = event(w, { prev_events: [after.eventId, fork.eventId], depth: 22 })
  await send(w, refused, after, fork, both)
  assert.deepEqual([await isShown(w, refused), await isShown(w, both)], [false, true])
  assert.equal((await stateOf(w.ann, w.roomId)).get('m.room.topic '), undefined)
  await w.ann.ok('PUT', `/rooms/${part(w.roomId)}/state/m.room.topic`, { topic: 'ours' })
  await assertAlive(w)
})

test('a page of refused events is not the end of the history', async (t) => {
  const w = await aLyingPeer(t)
  await w.ann.ok('PUT', `/rooms/${part(w.roomId)}/send/m.room.message/old`, { body: 'old' })
  let last = w.joined.eventId
  for (let round = 0; round < 4; round += 1) {
    const refused = Array.from({ length: 50 }, (_, index) => {
      const one = event(w, { sender: `@nobody:${PEER}`, prev_events: [last], depth: 20 + round * 50 + index })
      last = one.eventId
      return one
    })
    await send(w, ...refused)
  }
  await w.ann.ok('PUT', `/rooms/${part(w.roomId)}/send/m.room.message/new`, { body: 'new' })
  const bodies: unknown[] = []
  let from = ''
  for (let page = 0; page < 40; page += 1) {
    const { chunk, end } = await w.ann.ok('GET', `/rooms/${part(w.roomId)}/messages?dir=b&limit=2${from}`)
    for (const { content } of chunk as { content: JsonObject }[]) bodies.push(content['body'])
    if (end === undefined) break
    from = `&from=${part(end)}`
  }
  assert.deepEqual(
    bodies.filter((body) => body !== undefined),
    ['new', 'old'],
  )
})

test('redactions in a circle, of themselves, and in a long chain end, and harm nobody', async (t) => {
  const w = await aLyingPeer(t, { version: '1' })
  const redaction = (redacts: string) => event(w, { type: 'm.room.redaction', content: {}, redacts })
  const [first, second] = [redaction('$later:192.0.2.1:8448'), event(w)]
  const circle = event(w, { type: 'm.room.redaction', content: {}, redacts: first.eventId })
  const self = redaction('$itself')
  const chain: PeerEvent[] = []
  for (let index = 0; index < 40; index += 1) chain.push(redaction(chain.at(-1)?.eventId ?? second.eventId))
  await send(w, first, second, circle, self, ...chain)
  await send(w, ...chain)
  const { content } = await w.ann.ok('GET', `/rooms/${part(w.roomId)}/event/${part(second.eventId)}`)
  assert.deepEqual(content, {})
  await assertAlive(w)
})

test('an event whose id is that of an event of another room is an event of its own room', async (t) => {
  const w = await aLyingPeer(t, { version: '1' })
  const other = await anotherRoom(w)
  const mine = event(w, { content: { body: 'mine' } })
  await send(w, mine)
  const rules = rulesFor('1')!
  const { hashes: _hashes, signatures: _signatures, ...theirs } = event(other, { content: { body: 'theirs' } }).body
  const same = { ...theirs, event_id: mine.eventId }
  const hashed = { ...same, hashes: { sha256: contentHash(same, rules) } }
  const json = signEventJson(JSON.stringify(hashed), rules, w.peer.serverName, w.peer.key)
  assert.deepEqual(await send(w, JSON.parse(json) as JsonObject), { [mine.eventId]: {} })
  for (const [room, body] of [
    [w, 'mine'],
    [other, 'theirs'],
  ] as const) {
    const { content } = await w.ann.ok('GET', `/rooms/${part(room.roomId)}/event/${part(mine.eventId)}`)
    assert.equal(content.body, body)
    await assertAlive(room)
  }
})
