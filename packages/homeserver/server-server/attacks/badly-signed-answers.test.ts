/** What another server answers to /state and /backfill, with signatures that are none. */
import assert from 'node:assert/strict'
import test from 'node:test'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import { part, type PeerEvent } from '../../rooms/admit/testing/peer-events.ts'
import {
  aLyingPeer,
  assertAlive,
  edges,
  event,
  hasError,
  isShown,
  type LyingPeer,
  PEER,
  send,
  stateOf,
} from '../../rooms/receive/testing/lying-peer.ts'
import { keyOfPeer } from '../../testing/peer.ts'

const API = '/_matrix/federation/v1'

/** The event with each kind of signature that proves nothing of it. */
const FORGERIES: Readonly<Record<string, (body: JsonObject, w: LyingPeer) => JsonObject>> = {
  'a signature that is none': (body, w) => ({
    ...body,
    signatures: { [PEER]: { [w.peer.key.keyId]: 'A'.repeat(86) } },
  }),
  'the signature of another event': (body, w) => ({ ...body, signatures: event(w).body['signatures']! }),
  'the signature of another server': (body, w) => {
    const [signature] = Object.values((body['signatures'] as Record<string, JsonObject>)[PEER]!)
    return { ...body, signatures: { 'evil.example': { [w.peer.key.keyId]: signature! } } }
  },
  'a key that nobody knows': (body) => ({ ...body, signatures: { [PEER]: { 'ed25519:none': 'A'.repeat(86) } } }),
  'the key of another server': (body, w) => {
    const key = keyOfPeer('evil.example')
    return { ...body, signatures: { [PEER]: { [w.peer.key.keyId]: key.sign(Buffer.from('{}')) } } }
  },
  'no signature': (body) => ({ ...body, signatures: {} }),
}

async function isStored({ server, roomId }: LyingPeer, { eventId }: PeerEvent): Promise<boolean> {
  const head = await server.parts.heads.byId(roomId as never)
  return (await server.parts.events.inRoom(head!.roomNid, eventId as never)) !== undefined
}

function served(w: LyingPeer, { eventId, body }: PeerEvent): void {
  w.answers.set(`${API}/event/${eventId}`, { origin: PEER, origin_server_ts: 1, pdus: [body] })
}

function join(w: LyingPeer, userId: string): PeerEvent {
  const cited = event(w).body['auth_events'] as JsonValue[]
  return event(w, {
    type: 'm.room.member',
    sender: userId,
    state_key: userId,
    content: { membership: 'join' },
    auth_events: [...cited.slice(0, -1), ...(edges(w, [w.state.get('m.room.join_rules ')!]) as JsonValue[])],
  })
}

for (const version of ['1', '10', '12']) {
  test(`[A12] of a whole state, what is not signed as it must be is not stored, nor what it would allow: version ${version}`, async (t) => {
    const w = await aLyingPeer(t, { version })
    const before = await stateOf(w.ann, w.roomId)
    const forgeries = Object.values(FORGERIES)
    // So many that they are asked for as a whole.
    const sound = Array.from({ length: 55 }, (_, index) => join(w, `@sound${index}:${PEER}`))
    const forged = forgeries.map((_forge, index) => join(w, `@forged${index}:${PEER}`))
    const hidden = event(w, { content: { body: 'hidden' } })
    served(w, hidden)
    const ids = [...w.state.values(), ...[...sound, ...forged].map(({ eventId }) => eventId)]
    w.answers.set(`${API}/state_ids/${w.roomId}`, { pdu_ids: ids, auth_chain_ids: ids })
    const bodies = [...sound.map(({ body }) => body), ...forged.map(({ body }, index) => forgeries[index]!(body, w))]
    w.answers.set(`${API}/state/${w.roomId}`, { pdus: bodies, auth_chain: bodies })
    const latest = event(w, { prev_events: edges(w, [hidden.eventId]), depth: 21 })
    assert.deepEqual(await send(w, latest), { [latest.eventId]: {} })
    assert.ok(w.asked.includes(`${API}/state/${w.roomId}`))
    assert.ok(await isStored(w, sound[0]!))
    for (const [index, what] of Object.keys(FORGERIES).entries()) {
      const { body, eventId } = forged[index]!
      assert.equal(await isStored(w, forged[index]!), false, what)
      const cited = event(w).body['auth_events'] as JsonValue[]
      const said = event(w, {
        sender: body['sender']!,
        auth_events: [...cited.slice(0, -1), ...(edges(w, [eventId]) as JsonValue[])],
        prev_events: edges(w, [latest.eventId]),
        depth: 22,
      })
      assert.ok(hasError(await send(w, said), said), what)
      assert.equal(await isShown(w, said), false, what)
    }
    const after = await stateOf(w.ann, w.roomId)
    for (const [key, eventId] of before) assert.equal(after.get(key), eventId)
    for (const { body } of forged) assert.equal(after.get(`m.room.member ${body['sender'] as string}`), undefined)
    await assertAlive(w)
  })

  for (const [what, forge] of Object.entries(FORGERIES)) {
    test(`[A12] of the past of a room, ${what} brings nothing in, nor what lies behind it: version ${version}`, async (t) => {
      const w = await aLyingPeer(t, { version })
      const behind = event(w, { content: { body: 'behind' } })
      const forged = event(w, { content: { body: 'forged' }, prev_events: edges(w, [behind.eventId]), depth: 21 })
      const past = event(w, { content: { body: 'past' }, prev_events: edges(w, [forged.eventId]), depth: 22 })
      const ids = [...w.state.values()]
      w.answers.set(`${API}/state_ids/${w.roomId}`, { pdu_ids: ids, auth_chain_ids: ids })
      served(w, past)
      const latest = event(w, { prev_events: edges(w, [past.eventId]), depth: 23 })
      assert.deepEqual(await send(w, latest), { [latest.eventId]: {} })
      const bad = forge(forged.body, w)
      served(w, { eventId: forged.eventId, body: bad })
      w.answers.set(`${API}/backfill/${w.roomId}`, {
        origin: PEER,
        origin_server_ts: 1,
        pdus: [past.body, bad, behind.body],
      })
      const shown: string[] = []
      let from = ''
      for (let page = 0; page < 20; page += 1) {
        const { chunk, end } = await w.ann.ok('GET', `/rooms/${part(w.roomId)}/messages?dir=b&limit=20${from}`)
        shown.push(...(chunk as { content: JsonObject }[]).flatMap(({ content }) => (content['body'] as string) ?? []))
        if (end === undefined) break
        from = `&from=${part(end)}`
      }
      assert.ok(w.asked.includes(`${API}/backfill/${w.roomId}`))
      assert.deepEqual(shown, ['hello', 'past'])
      for (const one of [forged, behind]) assert.equal(await isStored(w, one), false)
      await assertAlive(w)
    })
  }
}
