import assert from 'node:assert/strict'
import test from 'node:test'
import { OutgoingFailed } from '@holdfast/platform/http/client'
import { stateMapEntries } from '@holdfast/protocol/state/state-map'
import { finish, type PeerEvent } from '../admit/testing/peer-events.ts'
import {
  aLyingPeer,
  anotherPeer,
  BOB,
  edges,
  event,
  hasError,
  isShown,
  type LyingPeer,
  on,
  PEER,
  send,
  stateOf,
} from './testing/lying-peer.ts'

const API = '/_matrix/federation/v1'
const [CARLS, DAVES] = ['192.0.2.2:8448', '192.0.2.3:8448']

/** An event of Bob's with one before it that is nowhere to be had but as part of a state. */
function withGap(w: LyingPeer): { readonly hidden: PeerEvent; readonly latest: PeerEvent } {
  const hidden = event(w, { content: { body: 'hidden' } })
  w.answers.set(`${API}/event/${hidden.eventId}`, { origin: PEER, origin_server_ts: 1, pdus: [hidden.body] })
  return { hidden, latest: event(w, { prev_events: edges(w, [hidden.eventId]), depth: 21 }) }
}

function tells(w: LyingPeer, server: string, ids: readonly string[]): void {
  w.answers.set(on(server, `${API}/state_ids/${w.roomId}`), { pdu_ids: [...ids], auth_chain_ids: [...ids] })
}

const KEYS_OF_FEW = ['m.room.create ', 'm.room.power_levels ', 'm.room.join_rules ', `m.room.member ${BOB}`]

async function stateAfter(w: LyingPeer, { eventId }: PeerEvent): Promise<readonly string[]> {
  const stored = await w.server.parts.events.inRoom(
    (await w.server.parts.heads.byId(w.roomId as never))!.roomNid,
    eventId as never,
  )
  const { map } = await w.server.parts.states.load(stored!.stateNid)
  const events = await w.server.parts.events.byNids(stateMapEntries(map).map(([, nid]) => nid))
  return [...events.values()].map(({ pdu }) => pdu.eventId as string).toSorted()
}

test('two servers of the room that agree on a state are believed, and not the one that sent the event', async (t) => {
  const w = await aLyingPeer(t)
  for (const name of [CARLS, DAVES]) await anotherPeer(w, name)
  const whole = [...(await stateOf(w.ann, w.roomId)).values()]
  const few = KEYS_OF_FEW.map((key) => w.state.get(key)!)
  const { latest } = withGap(w)
  tells(w, PEER, few)
  tells(w, CARLS, whole)
  tells(w, DAVES, whole)
  assert.deepEqual(await send(w, latest), { [latest.eventId]: {} })
  assert.deepEqual(await stateAfter(w, latest), whole.toSorted())
})

test('one server alone overrules nobody, and need not know the event', async (t) => {
  const w = await aLyingPeer(t)
  for (const name of [CARLS, DAVES]) await anotherPeer(w, name)
  const whole = [...(await stateOf(w.ann, w.roomId)).values()]
  tells(w, PEER, whole)
  const { latest } = withGap(w)
  assert.deepEqual(await send(w, latest), { [latest.eventId]: {} })
  assert.deepEqual(await stateAfter(w, latest), whole.toSorted())
  tells(
    w,
    CARLS,
    KEYS_OF_FEW.map((key) => w.state.get(key)!),
  )
  const { latest: next } = withGap(w)
  assert.deepEqual(await send(w, next), { [next.eventId]: {} })
  assert.deepEqual(await stateAfter(w, next), whole.toSorted())
})

test('a state without the create event of the room is none', async (t) => {
  const w = await aLyingPeer(t)
  const { latest } = withGap(w)
  tells(
    w,
    PEER,
    [...w.state.values()].filter((eventId) => eventId !== w.state.get('m.room.create ')),
  )
  assert.ok(hasError(await send(w, latest), latest))
  assert.equal(await isShown(w, latest), false)
})

test('a state is not taken while the key of one of its events cannot be had for a moment', async (t) => {
  const w = await aLyingPeer(t)
  const auth = event(w).body['auth_events'] as string[]
  const joinRules = w.state.get('m.room.join_rules ')!
  const carl = finish({ serverName: CARLS, key: w.server.peer(CARLS).key } as never, w.version, {
    ...event(w).body,
    signatures: {},
    type: 'm.room.member',
    sender: `@carl:${CARLS}`,
    state_key: `@carl:${CARLS}`,
    content: { membership: 'join' },
    auth_events: [...auth.slice(0, 2), joinRules],
  })
  const { latest } = withGap(w)
  w.answers.set(`${API}/event/${carl.eventId}`, { origin: PEER, origin_server_ts: 1, pdus: [carl.body] })
  tells(w, PEER, [...w.state.values(), carl.eventId])
  const away = (): never => {
    throw new OutgoingFailed('unreachable', 'nobody there')
  }
  w.answers.set(on(CARLS, '/_matrix/key/v2/server'), away)
  assert.ok(hasError(await send(w, latest), latest))
  assert.equal(await isShown(w, latest), false)
})
