import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from './manual-clock.ts'

test('timers fire in the order in which they fall due, at their own time', async () => {
  const clock = createManualClock({ nowMs: 1000 })
  const fired: [string, number][] = []
  clock.after(30, () => fired.push(['late', clock.nowMs()]))
  clock.after(10, () => fired.push(['early', clock.nowMs()]))
  clock.after(10, () => fired.push(['early, too', clock.nowMs()]))
  await clock.advance(100)
  assert.deepEqual(fired, [
    ['early', 1010],
    ['early, too', 1010],
    ['late', 1030],
  ])
  assert.equal(clock.nowMs(), 1100)
})

test('a timer set by a timer fires in the same advance if it falls due', async () => {
  const clock = createManualClock()
  let fired = 0
  clock.after(10, () => clock.after(10, () => (fired = clock.monotonicMs())))
  await clock.advance(25)
  assert.equal(fired, 20)
})

test('a sleeper goes on between two timers', async () => {
  const clock = createManualClock()
  const seen: string[] = []
  const sleeper = clock.sleep(10).then(() => seen.push('sleeper'))
  clock.after(20, () => seen.push('timer'))
  await clock.advance(20)
  await sleeper
  assert.deepEqual(seen, ['sleeper', 'timer'])
})

test('an aborted sleep leaves no timer', async () => {
  const clock = createManualClock()
  const controller = new AbortController()
  const sleeping = clock.sleep(10, controller.signal)
  controller.abort(new Error('enough'))
  await assert.rejects(sleeping, /enough/)
  assert.equal(clock.pending, 0)
})

test('a jump of the wall clock moves no timer', async () => {
  const clock = createManualClock({ nowMs: 0 })
  let fired = false
  clock.after(10, () => (fired = true))
  clock.setNowMs(1e12)
  await clock.advance(5)
  assert.equal(fired, false)
  assert.equal(clock.nowMs(), 1e12 + 5)
})
