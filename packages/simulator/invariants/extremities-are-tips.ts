/** I13: the tips of a room are accepted events that no accepted event follows. */
import { type HeldRoom, heldRooms, isAccepted } from '../world/held-room.ts'
import type { World } from '../world/world.ts'

export async function extremitiesAreTips({ servers, society, complain }: World): Promise<void> {
  for (const room of await heldRooms(servers, society.rooms)) {
    for (const problem of problemsOf(room)) complain('extremities-are-tips', `${room.server.name}: ${problem}`)
  }
}

function* problemsOf({ events, extremities }: HeldRoom): Generator<string> {
  const tips = new Map(extremities.map((tip) => [tip.pdu.eventId, tip]))
  for (const tip of extremities) if (!isAccepted(tip)) yield `the tip ${tip.pdu.eventId} has flags ${tip.flags}`
  for (const event of events.values()) {
    if (!isAccepted(event)) continue
    for (const eventId of event.pdu.prevEvents) {
      const tip = tips.get(eventId)
      // What is fetched of the past later takes a place before all that was here, and changes nothing of the present.
      const isOfPast = tip !== undefined && event.position < tip.position && event.nid > tip.nid
      if (tip !== undefined && !isOfPast) yield `the tip ${eventId} is followed by ${event.pdu.eventId}`
    }
  }
}
