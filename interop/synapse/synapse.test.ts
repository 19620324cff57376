/** All tests, on one pair of servers; see README.md. */
import { after, describe } from 'node:test'
import { testMembership } from './membership.ts'
import { testOutage } from './outage.ts'
import { startPair } from './pair.ts'
import { testPeople } from './people.ts'
import { testPower } from './power.ts'
import { untilSameState } from './rooms.ts'
import { testTalk } from './talk.ts'
import { createWorld } from './world.ts'

const versions = (process.env['INTEROP_ROOM_VERSIONS'] ?? '1,6,10,11,12').split(',')
const pair = await startPair({
  peerBoth: process.env['INTEROP_PEER_BOTH'] !== undefined,
  synapseVersion: process.env['INTEROP_SYNAPSE'],
})
const world = await createWorld(pair)

for (const direction of world.directions) describe(direction.title, () => testPeople({ world, direction }))

for (const version of versions) {
  for (const direction of world.directions) {
    describe(`room version ${version}, ${direction.title}`, () => {
      testMembership({ world, version, direction })
      testTalk({ world, version, direction })
      testPower({ world, version, direction })
    })
  }
}

describe('outages', () => testOutage(world, versions))

describe('at the end', () => {
  world.rule('every room of both has the same state on both', async () => {
    for (const { roomId, host, guest } of world.shared) await untilSameState(host, guest, roomId)
  })
})

after(async () => {
  if (world.hasFailed()) console.log(`The logs of both servers are in ${pair.keepLogs()}`)
  await pair[Symbol.asyncDispose]()
})
