/** Creation of public rooms. */

import type { Bench, Workload } from '../bench.ts'
import { createRoom } from '../matrix/rooms.ts'
import { call } from '../matrix/session.ts'

export const createRooms: Workload = {
  name: 'create-room',
  describes: 'createRoom with the preset public_chat and a name',
  run,
}

async function run(bench: Bench): Promise<void> {
  const session = await bench.accounts.create('creator')
  const created = new Set<string>()
  const { operationsMax, inFlight } = bench.scale.createRooms
  for (const count of inFlight) {
    const span = {
      workload: createRooms.name,
      variant: `${count} in flight`,
      inFlight: count,
      operationsMax,
      writes: true,
    }
    await bench.measure(
      span,
      async (_, index) => void created.add(await createRoom(session, { name: `Room ${index}` })),
    )
  }
  const answer = await call<{ joined_rooms: string[] }>(session, 'GET', '/_matrix/client/v3/joined_rooms')
  const joined = new Set(answer.joined_rooms)
  const missing = [...created].filter((roomId) => !joined.has(roomId))
  if (missing.length > 0 || joined.size !== created.size) {
    throw new Error(`created ${created.size} rooms, joined ${joined.size}, ${missing.length} missing`)
  }
}
