/** A room has one beginning: no second create event is ever taken for sound. */
import { heldRooms, isRejected } from '../world/held-room.ts'
import type { World } from '../world/world.ts'

export async function oneCreate({ servers, society, complain }: World): Promise<void> {
  for (const { server, roomId, events } of await heldRooms(servers, society.rooms)) {
    const creates = [...events.values()].filter((event) => event.pdu.type === 'm.room.create' && !isRejected(event))
    if (creates.length > 1)
      complain('one-create', `${server.name} ${roomId}: ${creates.map(({ pdu }) => pdu.eventId).join(' ')}`)
  }
}
