import assert from 'node:assert/strict'
import { setTimeout as sleep } from 'node:timers/promises'
import { test } from 'node:test'
import { closedLoop } from './closed-loop.ts'

test('exactly so many operations run, never more at once than asked for', async () => {
  let running = 0
  let most = 0
  const indexes: number[] = []
  const { samplesMs } = await closedLoop({ inFlight: 4, operationsMax: 21, secondsMax: 10 }, async (_, index) => {
    indexes.push(index)
    running += 1
    most = Math.max(most, running)
    await sleep(1)
    running -= 1
  })
  assert.equal(samplesMs.length, 21)
  assert.equal(most, 4)
  assert.deepEqual(indexes, [...Array(21).keys()])
})

test('time ends a loop that has operations left', async () => {
  const { samplesMs, seconds } = await closedLoop({ inFlight: 2, operationsMax: 1e9, secondsMax: 0.05 }, () => sleep(5))
  assert.ok(samplesMs.length > 0 && samplesMs.length < 100)
  assert.ok(seconds < 20)
})

test('an operation may answer its own latency, or several', async () => {
  const { samplesMs } = await closedLoop({ inFlight: 1, operationsMax: 2, secondsMax: 1 }, async () => 42)
  assert.deepEqual(samplesMs, [42, 42])
  const several = await closedLoop({ inFlight: 1, operationsMax: 2, secondsMax: 1 }, async (_, index) => [index, 7])
  assert.deepEqual(several.samplesMs, [0, 7, 1, 7])
})

test('the first failure stops all workers and is thrown', async () => {
  let started = 0
  const loop = closedLoop({ inFlight: 3, operationsMax: 1000, secondsMax: 10 }, async (_, index) => {
    started += 1
    await sleep(1)
    if (index === 5) throw new Error('broken')
  })
  await assert.rejects(loop, /broken/)
  assert.ok(started < 20)
})
