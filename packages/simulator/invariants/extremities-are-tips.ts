/** I13: the tips of a room are accepted events that no accepted event follows. */
import { EVENT_FLAGS } from '@holdfast/homeserver/storage/events'
import { type HeldRoom, heldRooms, isAccepted } from '../world/held-room.ts'
import type { World } from '../world/world.ts'

export async function extremitiesAreTips({ servers, society, complain }: World): Promise<void> {
  for (const room of await heldRooms(servers, society.rooms)) {
    for (const problem of problemsOf(room)) complain('extremities-are-tips', `${room.server.name}: ${problem}`)
  }
}

function* problemsOf({ events, extremities }: HeldRoom): Generator<string> {
  const tips = new Set(extremities.map(({ pdu }) => pdu.eventId))
  for (const tip of extremities) if (!isAccepted(tip)) yield `the tip ${tip.pdu.eventId} has flags ${tip.flags}`
  for (const event of events.values()) {
    // What was accepted across a gap says nothing of the events in it that arrive later.
    if (!isAccepted(event) || (event.flags & EVENT_FLAGS.gap) !== 0) continue
    for (const eventId of event.pdu.prevEvents)
      if (tips.has(eventId)) yield `the tip ${eventId} is followed by ${event.pdu.eventId}`
  }
}
