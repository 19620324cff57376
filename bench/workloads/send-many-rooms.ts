/** Sends spread evenly over many rooms. */

import type { Bench, Workload } from '../bench.ts'
import { createRoom } from '../matrix/rooms.ts'
import { createUsers, prepare } from './prepare.ts'
import { measureSends, type Target } from './sending.ts'

export const sendManyRooms: Workload = {
  name: 'send-many-rooms',
  describes: 'messages of 500 bytes spread over 100 rooms of ten owners',
  run,
}

async function run(bench: Bench): Promise<void> {
  const { rooms, users } = bench.scale.sends
  const owners = await createUsers(bench, 'owner', users)
  const targets: Target[] = []
  await prepare(bench, 'rooms', rooms, async (index) => {
    const session = owners[index % owners.length]!
    targets.push({ session, roomId: await createRoom(session) })
  })
  await measureSends(bench, sendManyRooms.name, targets)
}
