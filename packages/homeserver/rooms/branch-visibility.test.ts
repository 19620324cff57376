import assert from 'node:assert/strict'
import test from 'node:test'
import { aLyingPeer, edges, event, send } from './receive/testing/lying-peer.ts'

test('who leaves keeps what another branch brought while they were in the room, and gets nothing that it brings later', async (t) => {
  const world = await aLyingPeer(t)
  const cat = await world.server.user('cat')
  const room = `/rooms/${encodeURIComponent(world.roomId)}`
  await cat.ok('POST', `${room}/join`, {})
  // Bob has not heard of them: in the state of what he says they are not in the room.
  const prev = { prev_events: edges(world, [world.joined.eventId]) }
  const [early, late] = [event(world, { ...prev, depth: 21 }), event(world, { ...prev, depth: 22 })]
  await send(world, early)
  const reads = async (eventId: string): Promise<boolean> => {
    const { chunk } = await cat.ok('GET', `${room}/messages?dir=b&limit=100`)
    return chunk.some(({ event_id: id }: { event_id: string }) => id === eventId)
  }
  assert.equal(await reads(early.eventId), true)
  await cat.ok('POST', `${room}/leave`, {})
  await send(world, late)
  assert.deepEqual([await reads(early.eventId), await reads(late.eventId)], [true, false])
})
