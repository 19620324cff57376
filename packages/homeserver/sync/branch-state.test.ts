import assert from 'node:assert/strict'
import { test, type TestContext } from 'node:test'
import { aLyingPeer, edges, event, send, type LyingPeer } from '../rooms/receive/testing/lying-peer.ts'

// oxlint-disable-next-line typescript/no-explicit-any -- a test looks where it expects something
type Json = any

const OLDER_MS = 1_700_000_000_000
const NEWER_MS = Date.now() + 3_600_000

async function aRoom(t: TestContext): Promise<LyingPeer & { readonly room: string }> {
  const world = await aLyingPeer(t, { settings: { power_level_content_override: { state_default: 0 } } })
  return { ...world, room: `/rooms/${encodeURIComponent(world.roomId)}` }
}

async function sync({ ann }: LyingPeer, since: string | undefined, filter: object, query = ''): Promise<Json> {
  const from = since === undefined ? '' : `&since=${since}`
  return ann.ok('GET', `/sync?filter=${encodeURIComponent(JSON.stringify(filter))}${from}${query}`)
}

/** Bob sets the topic, having heard of nothing since he came. */
function topicOnBranch(world: LyingPeer, timeMs: number): ReturnType<typeof event> {
  const prev_events = edges(world, [world.joined.eventId])
  return event(world, {
    type: 'm.room.topic',
    state_key: '',
    content: { topic: 'of bob' },
    prev_events,
    origin_server_ts: timeMs,
  })
}

test('[SYNC11] state that lost stands in no timeline that the state is applied with, and is found by paging back', async (t) => {
  const world = await aRoom(t)
  const { ann, room, roomId } = world
  await ann.ok('PUT', `${room}/state/m.room.topic`, { topic: 'of ann' })
  const { next_batch: since } = await sync(world, undefined, {})
  const lost = topicOnBranch(world, OLDER_MS)
  await send(world, lost)
  assert.equal((await ann.ok('GET', `${room}/state/m.room.topic`)).topic, 'of ann')
  const { state, timeline } = (await sync(world, since, {})).rooms.join[roomId]
  assert.deepEqual([state.events, timeline.events, timeline.limited], [[], [], true])
  const { chunk } = await ann.ok('GET', `${room}/messages?dir=b&limit=1&from=${timeline.prev_batch}`)
  assert.equal(chunk[0].event_id, lost.eventId)
  const after = (await sync(world, since, {}, '&use_state_after=true')).rooms.join[roomId]
  assert.deepEqual([after.state_after.events, after.timeline.limited], [[], false])
  assert.equal(after.timeline.events[0].event_id, lost.eventId)
})

test('[SYNC11] state of a branch is told where the timeline has room for less', async (t) => {
  const world = await aRoom(t)
  const { ann, room, roomId } = world
  await ann.ok('PUT', `${room}/state/m.room.topic`, { topic: 'of ann' })
  const { next_batch: since } = await sync(world, undefined, {})
  await send(world, topicOnBranch(world, NEWER_MS))
  await ann.ok('PUT', `${room}/send/org.example.filtered/1`, {})
  const filter = { room: { timeline: { not_types: ['org.example.filtered', 'm.room.topic'], limit: 1 } } }
  for (const from of [since, undefined]) {
    const { state } = (await sync(world, from, filter)).rooms.join[roomId]
    assert.equal(state.events.find(({ type }: Json) => type === 'm.room.topic').content.topic, 'of bob')
  }
})
