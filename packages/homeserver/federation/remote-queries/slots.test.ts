import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createManualClock } from '@holdfast/platform/clock/manual-clock'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { openSlots } from './slots.ts'

const A = 'a.example' as ServerName
const B = 'b.example' as ServerName

test('[RQ6] of one server so many requests run at a time, in their order, and others do not wait for it', async () => {
  const slots = openSlots(createManualClock(), { atOnceMax: 2, waitingMax: 10 })
  const gates = Array.from({ length: 5 }, () => Promise.withResolvers<void>())
  const begun: number[] = []
  const running = gates.map((gate, index) =>
    slots.run(index === 4 ? B : A, 1_000, async () => {
      begun.push(index)
      await gate.promise
    }),
  )
  await new Promise(setImmediate)
  assert.deepEqual(begun, [0, 1, 4])
  gates[1]!.resolve()
  await running[1]
  await new Promise(setImmediate)
  assert.deepEqual(begun, [0, 1, 4, 2])
  for (const gate of gates) gate.resolve()
  await Promise.all(running)
  assert.deepEqual(begun, [0, 1, 4, 2, 3])
})

test('[RQ6] who has waited too long is not served, and what fails gives its place to the next', async () => {
  const clock = createManualClock()
  const slots = openSlots(clock, { atOnceMax: 1, waitingMax: 2 })
  const gate = Promise.withResolvers<void>()
  const failing = slots.run(A, 100, () => gate.promise.then(() => Promise.reject(new Error('fails'))))
  const late = slots.run(A, 100, async () => 'late')
  const patient = slots.run(A, 1_000, async (leftMs) => leftMs)
  await assert.rejects(
    slots.run(A, 1_000, async () => 'too many'),
    /too many requests/,
  )
  const tooLate = assert.rejects(late, /no time is left/)
  await clock.advance(200)
  await tooLate
  gate.resolve()
  await assert.rejects(failing, /fails/)
  assert.equal(await patient, 800)
  assert.equal(await slots.run(A, 10, async () => 'again'), 'again')
})
