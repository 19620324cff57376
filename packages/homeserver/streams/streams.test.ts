import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '@holdfast/platform/clock/manual-clock'
import { CommitOutcomeUnknown, DatabaseUnavailable, type Committed } from '@holdfast/platform/database/database'
import { openStreams } from './streams.ts'

function setUp(): {
  streams: ReturnType<typeof openStreams>
  finish: (firstPosition: number) => void
  clock: ReturnType<typeof createManualClock>
} {
  const clock = createManualClock()
  const waiting: ((committed: Committed) => void)[] = []
  const db = {
    lastPosition: () => 10,
    commit: () => new Promise<Committed>((resolve) => waiting.push(resolve)),
  }
  return {
    clock,
    streams: openStreams({ clock, db }),
    finish: (firstPosition) => waiting.shift()!({ firstPosition, results: [] }),
  }
}

test('a position is published after the caches, and not before', async () => {
  const { streams, finish } = setUp()
  const seen: number[] = []
  const commit = streams.commit([], { positions: 3, publish: (first) => seen.push(first, streams.position()) })
  assert.equal(streams.position(), 10)
  finish(11)
  await commit
  assert.deepEqual(seen, [11, 10])
  assert.equal(streams.position(), 13)
})

test('who waits for a position goes on when it is published', async () => {
  const { streams, finish } = setUp()
  let arrived = false
  const reached = streams.reached(12).then(() => (arrived = true))
  const first = streams.commit([], { positions: 1, publish: () => {} })
  finish(11)
  await first
  assert.equal(arrived, false)
  const second = streams.commit([], { positions: 1, publish: () => {} })
  finish(12)
  await second
  await reached
})

test('a change between subscribing and waiting is not missed', async () => {
  const { streams } = setUp()
  using subscription = streams.subscribe(7)
  streams.userChanged({ userNid: 7, position: 11 })
  const { signal } = new AbortController()
  assert.equal(await subscription.wait({ timeoutMs: 1_000, signal }), 'changed')
})

test('a room wakes its joined members and those whose membership changed, and nobody else', async () => {
  const { streams, clock } = setUp()
  const { signal } = new AbortController()
  using member = streams.subscribe(1)
  using kicked = streams.subscribe(2)
  using stranger = streams.subscribe(3)
  const waits = [member, kicked, stranger].map((one) => one.wait({ timeoutMs: 1_000, signal }))
  streams.roomChanged({ roomNid: 5, position: 11, joined: new Set([1, 4]), membershipChanged: [2] })
  assert.equal(await waits[0], 'changed')
  assert.equal(await waits[1], 'changed')
  await clock.advance(1_000)
  assert.equal(await waits[2], 'timeout')
})

test('an aborted wait ends, and its subscription leaves nothing behind', async () => {
  const { streams } = setUp()
  const controller = new AbortController()
  {
    using subscription = streams.subscribe(1)
    const wait = subscription.wait({ timeoutMs: 60_000, signal: controller.signal })
    controller.abort()
    assert.equal(await wait, 'timeout')
    assert.equal(streams.waiting(), 1)
  }
  assert.equal(streams.waiting(), 0)
})

test('an onlooker hears of the room they look into, and of no other', async () => {
  const { streams, clock } = setUp()
  const { signal } = new AbortController()
  using onlooker = streams.subscribe(1, { roomNid: 5 })
  const room = { position: 11, joined: new Set<number>(), membershipChanged: [] }
  streams.roomChanged({ roomNid: 6, ...room })
  const wait = onlooker.wait({ timeoutMs: 1_000, signal })
  await clock.advance(999)
  streams.roomChanged({ roomNid: 5, ...room })
  assert.equal(await wait, 'changed')
})

test('after a commit whose outcome is unknown, positions go on, and readers look for what may have been applied', async () => {
  const clock = createManualClock()
  const outcomes: (Committed | Error)[] = [
    { firstPosition: 11, results: [] },
    new CommitOutcomeUnknown('the connection was lost'),
    new DatabaseUnavailable('not yet'),
    { firstPosition: 13, results: [] },
  ]
  const commit = async (): Promise<Committed> => {
    const outcome = outcomes.shift()!
    if (outcome instanceof Error) throw outcome
    return outcome
  }
  const streams = openStreams({ clock, db: { lastPosition: () => 10, commit } })
  const roomChanged = (position: number): void =>
    streams.roomChanged({ roomNid: 3, position, joined: new Set([7]), membershipChanged: [] })
  await streams.commit([], { positions: 1, publish: roomChanged })
  assert.deepEqual([streams.roomPosition(3), streams.roomPosition(4)], [11, 10])
  await assert.rejects(streams.commit([], { positions: 1, publish: roomChanged }), CommitOutcomeUnknown)
  assert.equal(streams.position(), 11)
  const reached = streams.reached(12)
  for (let second = 0; second < 2; second += 1) await clock.advance(1_000)
  await reached
  assert.equal(streams.position(), 13)
  for (const changed of [streams.roomPosition(3), streams.roomPosition(4), streams.userPosition(7)])
    assert.equal(changed, 12)
})
