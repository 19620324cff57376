import assert from 'node:assert/strict'
import test, { type TestContext } from 'node:test'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import { rulesFor } from '@holdfast/protocol/room-version/rules'
import { EVENT_FLAGS } from '../../storage/events.ts'
import { part, type PeerEvent } from '../../rooms/admit/testing/peer-events.ts'
import { until } from '../../testing/until.ts'
import {
  aLyingPeer,
  anotherPeer,
  BOB,
  edges,
  event,
  isShown,
  type LyingPeer,
  send,
  stateOf,
} from '../../rooms/receive/testing/lying-peer.ts'

const CARLS = '192.0.2.2:8448'
const CARL = `@carl:${CARLS}`

type World = LyingPeer & { readonly carlsJoin: PeerEvent }

/** Bob has some power, and Carl none. */
async function world(t: TestContext, version: string): Promise<World> {
  const w = await aLyingPeer(t, { version, settings: { power_level_content_override: levels(version, 50) } })
  const { joined } = await anotherPeer(w, CARLS)
  return { ...w, carlsJoin: joined }
}

function levels(version: string, ofBob: number): JsonObject {
  const creator = rulesFor(version)!.creatorsAboveAll ? {} : { '@ann:example.org': 100 }
  return { users: { ...creator, [BOB]: ofBob }, events: {} }
}

async function empower({ ann, roomId, version }: World, ofBob: number): Promise<string> {
  const { event_id: eventId } = await ann.ok(
    'PUT',
    `/rooms/${part(roomId)}/state/m.room.power_levels`,
    levels(version, ofBob),
  )
  return eventId
}

const CHANGES: Record<string, (w: World) => JsonObject> = {
  topic: () => ({ type: 'm.room.topic', state_key: '', content: { topic: 'of another day' } }),
  ban: (w) => ({
    type: 'm.room.member',
    state_key: CARL,
    content: { membership: 'ban' },
    auth_events: [...(event(w).body['auth_events'] as never[]), ...(edges(w, [w.carlsJoin.eventId]) as never[])],
  }),
  'change of power': ({ version }) => {
    const { users } = levels(version, 50) as { users: JsonObject }
    return { type: 'm.room.power_levels', state_key: '', content: { users, events: { 'm.room.topic': 50 } } }
  },
}

/** What a sync tells of the room, in its timeline or as its state. */
async function told({ ann, roomId }: World, since: string): Promise<readonly string[]> {
  const { rooms } = await ann.ok('GET', `/sync?since=${part(since)}`)
  const { timeline, state } = rooms.join[roomId]
  return [...timeline.events, ...state.events].map(({ event_id: eventId }) => eventId)
}

async function tips({ server, roomId }: World): Promise<readonly string[]> {
  const head = await server.parts.heads.byId(roomId as never)
  return head!.extremities.map(({ pdu }) => pdu.eventId)
}

async function flagsOf({ server, roomId }: World, { eventId }: PeerEvent): Promise<number | undefined> {
  const head = await server.parts.heads.byId(roomId as never)
  return (await server.parts.events.inRoom(head!.roomNid, eventId as never))?.flags
}

for (const version of ['1', '10', '12']) {
  for (const [what, change] of Object.entries(CHANGES)) {
    test(`[A27] a ${what} that failed softly counts once a later event lets it in, and not before: version ${version}`, async (t) => {
      const w = await world(t, version)
      const late = event(w, { ...change(w), prev_events: edges(w, [w.carlsJoin.eventId]), depth: 21 })
      const { type, state_key: stateKey } = late.body as { type: string; state_key: string }
      const key = `${type} ${stateKey}`
      w.transactions.length = 0
      const { next_batch: since } = await w.ann.ok('GET', '/sync')
      await empower(w, 0)
      const before = await stateOf(w.ann, w.roomId)
      assert.deepEqual(await send(w, late), { [late.eventId]: {} })
      assert.equal(await isShown(w, late), false)
      assert.equal(await flagsOf(w, late), EVENT_FLAGS.softFailed)
      assert.deepEqual(await stateOf(w.ann, w.roomId), before)
      const again = await empower(w, 50)
      const restored = await stateOf(w.ann, w.roomId)
      assert.deepEqual(restored, new Map([...before, ['m.room.power_levels ', again]]))
      assert.deepEqual(await tips(w), [again])
      assert.ok(!(await told(w, since)).includes(late.eventId))

      const cited = (event(w).body['auth_events'] as JsonValue[]).map((edge) => (Array.isArray(edge) ? edge[0] : edge))
      const auth = cited.map((eventId) => (eventId === w.state.get('m.room.power_levels ') ? again : eventId))
      const merge = event(w, {
        auth_events: edges(w, auth as string[]),
        prev_events: edges(w, [late.eventId, again]),
        depth: 30,
      })
      assert.deepEqual(await send(w, merge), { [merge.eventId]: {} })
      assert.deepEqual(await stateOf(w.ann, w.roomId), new Map([...restored, [key, late.eventId]]))
      assert.ok((await told(w, since)).includes(late.eventId))
      assert.ok(await isShown(w, late))
      assert.deepEqual(await tips(w), [merge.eventId])
      // Nobody was sent it by us, and what Ann sent has arrived.
      const senders = (): readonly JsonValue[] =>
        w.transactions.flatMap(({ pdus }) => (pdus as JsonObject[]).map(({ sender }) => sender!))
      await until(() => senders().includes(w.ann.userId), 'the events of ann are sent')
      assert.ok(!senders().includes(BOB))
      await w.server.restart()
      assert.deepEqual(await stateOf(w.ann, w.roomId), new Map([...restored, [key, late.eventId]]))
    })
  }
}
