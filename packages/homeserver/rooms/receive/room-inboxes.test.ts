import assert from 'node:assert/strict'
import test from 'node:test'
import type { Clock } from '@holdfast/platform/clock/clock'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import { openRoomInboxes, runInTime } from './room-inboxes.ts'

const ROOM = '!room:a.example' as RoomId

/** A clock that stands still until it is moved. */
function standing(): { readonly clock: Clock; readonly move: (ms: number) => void } {
  let nowMs = 0
  const timers = new Set<{ readonly atMs: number; readonly action: () => void }>()
  const after: Clock['after'] = (ms, action) => {
    const timer = { atMs: nowMs + ms, action }
    timers.add(timer)
    return { [Symbol.dispose]: () => void timers.delete(timer) }
  }
  const move = (ms: number): void => {
    nowMs += ms
    for (const timer of timers) if (timer.atMs <= nowMs && timers.delete(timer)) timer.action()
  }
  const clock = { nowMs: () => nowMs, monotonicMs: () => nowMs, sleep: async () => {}, after }
  return { clock, move }
}

test('[INC2] what waits behind long work is refused after a while, and is not done later', async () => {
  const { clock, move } = standing()
  const inboxes = openRoomInboxes(clock)
  const long = Promise.withResolvers<void>()
  const filling = inboxes.run(ROOM, () => long.promise, { isLong: true })
  await Promise.resolve()
  await Promise.resolve()
  const done: string[] = []
  const first = assert.rejects(
    inboxes.run(ROOM, async () => void done.push('first')),
    { errcode: 'M_LIMIT_EXCEEDED' },
  )
  move(45_000)
  await first
  // Whoever comes now would wait in vain, too.
  const second = assert.rejects(
    inboxes.run(ROOM, async () => void done.push('second')),
    { errcode: 'M_LIMIT_EXCEEDED' },
  )
  move(0)
  await second
  const third = inboxes.run(ROOM, async () => void done.push('third'))
  long.resolve()
  await Promise.all([filling, third])
  assert.deepEqual(done, ['third'])
  await new Promise(setImmediate)
  assert.equal(inboxes.waiting(), 0)
})

test('what waits behind short work waits on', async () => {
  const { clock, move } = standing()
  const inboxes = openRoomInboxes(clock)
  const work = Promise.withResolvers<void>()
  const first = inboxes.run(ROOM, () => work.promise)
  const second = inboxes.run(ROOM, async () => 'done')
  await Promise.resolve()
  move(45_000)
  move(45_000)
  work.resolve()
  await first
  assert.equal(await second, 'done')
})

test('work that one can do without waits no longer than its bound, and says what went wrong in it', async () => {
  const { clock, move } = standing()
  const inboxes = openRoomInboxes(clock)
  const turn = { roomId: ROOM, waitMsMax: 20_000 }
  for (const isLong of [true, false]) {
    const before = Promise.withResolvers<void>()
    const first = inboxes.run(ROOM, () => before.promise, { isLong })
    await new Promise(setImmediate)
    const done: string[] = []
    const late = runInTime(inboxes, turn, async () => done.push('late'))
    move(20_000)
    assert.equal(await late, undefined)
    before.resolve()
    await first
    assert.deepEqual(done, [])
  }
  assert.equal(await runInTime(inboxes, turn, async () => 'in time'), 'in time')
  await assert.rejects(
    runInTime(inboxes, turn, () => Promise.reject(new Error('went wrong'))),
    { message: 'went wrong' },
  )
})
