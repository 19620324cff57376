/** I14: what a server builds never follows what it refused. Memberships may be built on the template of another server. */
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { type HeldRoom, heldRooms, isRejected, isSoftFailed } from '../world/held-room.ts'
import type { World } from '../world/world.ts'

export async function ownEventsFollowAcceptedOnes({ servers, society, complain }: World): Promise<void> {
  for (const room of await heldRooms(servers, society.rooms)) {
    for (const problem of problemsOf(room))
      complain('own-events-follow-accepted-ones', `${room.server.name}: ${problem}`)
  }
}

function* problemsOf({ events, server }: HeldRoom): Generator<string> {
  for (const { pdu } of events.values()) {
    if (serverNameOf(pdu.sender) !== server.name || pdu.type === 'm.room.member') continue
    for (const eventId of pdu.prevEvents) {
      const prev = events.get(eventId)
      if (prev !== undefined && (isRejected(prev) || isSoftFailed(prev)))
        yield `${pdu.eventId} follows ${eventId}, which was refused (${prev.flags})`
    }
  }
}
