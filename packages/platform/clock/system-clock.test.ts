import assert from 'node:assert/strict'
import { test } from 'node:test'
import { clampTimerMs, createSystemClock } from './system-clock.ts'

test('a wait longer than a timer can hold is clamped and does not fire at once', () => {
  assert.equal(clampTimerMs(2 ** 31), 2 ** 31 - 1)
  assert.equal(clampTimerMs(1e18), 2 ** 31 - 1)
  assert.equal(clampTimerMs(Infinity), 2 ** 31 - 1)
})

test('a wait that is negative or no number is no wait', () => {
  assert.equal(clampTimerMs(-1), 0)
  assert.equal(clampTimerMs(Number.NaN), 0)
})

test('sleep rejects with the reason of the signal, before and during the wait', async () => {
  const clock = createSystemClock()
  const reason = new Error('enough')
  await assert.rejects(clock.sleep(60_000, AbortSignal.abort(reason)), reason)
  const controller = new AbortController()
  const waiting = clock.sleep(60_000, controller.signal)
  controller.abort(reason)
  await assert.rejects(waiting, reason)
})

test('a disposed timer does not fire', async () => {
  const clock = createSystemClock()
  let fired = false
  clock.after(1, () => (fired = true))[Symbol.dispose]()
  await clock.sleep(20)
  assert.equal(fired, false)
})

test('both clocks advance', async () => {
  const clock = createSystemClock()
  const before = clock.monotonicMs()
  await clock.sleep(5)
  assert.ok(clock.monotonicMs() > before)
  assert.ok(Math.abs(clock.nowMs() - Date.now()) < 1000)
})
