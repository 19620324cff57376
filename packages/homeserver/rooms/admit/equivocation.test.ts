import assert from 'node:assert/strict'
import test from 'node:test'
import { contentHash } from '@holdfast/protocol/event/hash'
import { signEventJson } from '@holdfast/protocol/event/sign'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { rulesFor } from '@holdfast/protocol/room-version/rules'
import {
  aLyingPeer,
  assertAlive,
  BOB,
  edges,
  event,
  type LyingPeer,
  PEER,
  send,
} from '../receive/testing/lying-peer.ts'
import { part, type PeerEvent } from './testing/peer-events.ts'

/** In the first two versions whoever makes an event chooses its id, and may choose one twice. */
function named({ peer, version }: LyingPeer, eventId: string, { body }: PeerEvent): PeerEvent {
  const rules = rulesFor(version)!
  const { signatures: _signatures, hashes: _hashes, ...whole }: JsonObject = { ...body, event_id: eventId }
  const hashed = { ...whole, hashes: { sha256: contentHash(whole, rules) } }
  return {
    eventId,
    body: JSON.parse(signEventJson(JSON.stringify(hashed), rules, peer.serverName, peer.key)) as JsonObject,
  }
}

function member(w: LyingPeer, displayname: string): PeerEvent {
  const cited = ['m.room.create ', 'm.room.power_levels ', 'm.room.join_rules '].map((key) => w.state.get(key)!)
  return event(w, {
    type: 'm.room.member',
    state_key: BOB,
    content: { membership: 'join', displayname },
    auth_events: edges(w, [...cited, w.joined.eventId]),
  })
}

async function seen({ ann, roomId }: LyingPeer): Promise<unknown> {
  const { chunk } = await ann.ok('GET', `/rooms/${part(roomId)}/messages?dir=b&limit=50`)
  const state = await ann.ok('GET', `/rooms/${part(roomId)}/state`)
  const shown = (one: { type: string; event_id: string; content: object }) => [one.type, one.event_id, one.content]
  return { history: chunk.map(shown), state: state.map(shown) }
}

for (const version of ['1', '2']) {
  test(`[ADM6] of two events with one id the first that came counts: version ${version}`, async (t) => {
    const w = await aLyingPeer(t, { version })
    const eventId = `$twice:${PEER}`
    const first = named(w, eventId, event(w, { content: { body: 'first' } }))
    const second = named(w, eventId, event(w, { content: { body: 'second' } }))
    await send(w, first)
    await send(w, second)
    const { content } = await w.ann.ok('GET', `/rooms/${part(w.roomId)}/event/${part(eventId)}`)
    assert.deepEqual(content, { body: 'first' })
    await assertAlive(w)
  })

  for (const [what, again] of Object.entries({
    'of another content': (w: LyingPeer) => member(w, 'second'),
    'of another type': (w: LyingPeer) => event(w, { content: { body: 'second' } }),
  })) {
    test(`[ADM6] who vouched with an event has no other with its id, ${what}: version ${version}`, async (t) => {
      const w = await aLyingPeer(t, { version })
      const eventId = `$twice:${PEER}`
      const first = named(w, eventId, member(w, 'first'))
      const second = named(w, eventId, again(w))
      w.answers.set(`/_matrix/federation/v1/event_auth/*`, {
        auth_chain: [first.body],
      })
      w.answers.set(`/_matrix/federation/v1/event/${eventId}`, {
        origin: PEER,
        origin_server_ts: 1,
        pdus: [first.body],
      })
      const cited = ['m.room.create ', 'm.room.power_levels '].map((key) => w.state.get(key)!)
      const message = event(w, { auth_events: edges(w, [...cited, eventId]) })
      assert.deepEqual(await send(w, message), { [message.eventId]: {} })
      await send(w, second)
      const before = await seen(w)
      assert.ok(!JSON.stringify(before).includes('second'))
      await w.server.restart()
      assert.deepEqual(await seen(w), before)
      // The one that vouched may still come itself.
      await send(w, first)
      await w.server.restart()
      assert.ok(JSON.stringify(await seen(w)).includes('"first"'))
      await assertAlive(w)
    })
  }
}
