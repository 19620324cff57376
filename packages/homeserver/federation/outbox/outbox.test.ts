import assert from 'node:assert/strict'
import { test } from 'node:test'
import { aWorld } from './testing/world.ts'

const A = 'a.example:8448'

test('an event goes to the servers in the room, signed and with its content', async () => {
  await using world = await aWorld()
  const room = await world.aRoom([`@bob:${A}`])
  await world.say(room, 'hello')
  await world.untilHeard(A, 'hello')
  const { pdus } = world.sent.at(-1)!
  assert.ok('signatures' in pdus[0]!)
})
