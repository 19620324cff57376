import assert from 'node:assert/strict'
import { test } from 'node:test'
import { until } from '../../testing/until.ts'
import { accept, aWorld } from './testing/world.ts'

const A = 'a.example:8448'
const B = 'b.example:8448'

test('[OUT32] the totals tell who waits, who failed, and since when', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([`@bob:${A}`, `@carl:${B}`])
  await world.untilQuiet()
  const { settled: _settled, routed: _routed, ...idle } = world.outbox.totals()!
  assert.deepEqual(idle, { servers: 0, behind: 0, pausing: 0, queuedEvents: 0, oldestMs: 0, inFlight: 0 })

  const gate = Promise.withResolvers<void>()
  world.answer(async ({ to }) => {
    await gate.promise
    return to === A ? undefined : { body: { pdus: {} } }
  })
  await world.say(room, 'one')
  await until(() => world.outbox.totals()!.inFlight === 2, 'both are told')
  await world.say(room, 'two')
  await until(() => world.outbox.totals()!.queuedEvents === 4, 'both are owed two')
  gate.resolve()
  await until(() => world.outbox.totals()!.pausing === 1, 'one of them failed')
  await until(() => world.outbox.totals()!.servers === 1, 'the other has everything')
  const before = world.outbox.totals()!
  // Not as long as its pause.
  await world.clock.advance(900)
  assert.equal(world.outbox.totals()!.oldestMs, before.oldestMs + 900)

  await until(async () => {
    await world.clock.advance(100)
    return world.outbox.totals()!.behind === 1
  }, 'it is written down that it is behind')
  world.answer(accept)
  world.heardFrom(A)
  await world.untilHeard(A, 'two')
  await world.untilQuiet()
  const { servers, behind, oldestMs } = world.outbox.totals()!
  assert.deepEqual([servers, behind, oldestMs], [0, 0, 0])
})
