/** Sends in one room, from several of its members. */

import type { Bench, Workload } from '../bench.ts'
import { createRoom, joinRoom } from '../matrix/rooms.ts'
import { createUsers } from './prepare.ts'
import { measureSends } from './sending.ts'

export const sendOneRoom: Workload = {
  name: 'send-one-room',
  describes: 'messages of 500 bytes into one room, from ten of its members',
  run,
}

async function run(bench: Bench): Promise<void> {
  const users = await createUsers(bench, 'sender', bench.scale.sends.users)
  const roomId = await createRoom(users[0]!)
  for (const user of users.slice(1)) await joinRoom(user, roomId)
  await measureSends(
    bench,
    sendOneRoom.name,
    users.map((session) => ({ session, roomId })),
  )
}
