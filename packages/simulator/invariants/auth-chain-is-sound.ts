/** I6: what an accepted event cites is here, of the room, accepted itself, and allows the event; there is no cycle. */
import type { StoredEvent } from '@holdfast/homeserver/rooms/event-store'
import { EVENT_FLAGS } from '@holdfast/homeserver/storage/events'
import { authorize } from '@holdfast/protocol/auth/authorize'
import { authStateOf } from '@holdfast/protocol/auth/auth-state'
import { createEventIdOf } from '@holdfast/protocol/ids/room-id'
import { type HeldRoom, heldRooms, isRejected } from '../world/held-room.ts'
import type { World } from '../world/world.ts'

export async function authChainIsSound({ servers, society, complain }: World): Promise<void> {
  for (const room of await heldRooms(servers, society.rooms)) {
    for (const problem of problemsOf(room)) complain('auth-chain-is-sound', `${room.server.name}: ${problem}`)
  }
}

function* problemsOf({ events, rules, roomId }: HeldRoom): Generator<string> {
  for (const event of events.values()) {
    if (isRejected(event) || isFromOutside(event)) continue
    const { pdu } = event
    const cited = pdu.authEvents.flatMap((eventId) => events.get(eventId) ?? [])
    if (cited.length !== pdu.authEvents.length) yield `${pdu.eventId} cites events that are not here`
    for (const one of cited) {
      if (isRejected(one)) yield `${pdu.eventId} cites ${one.pdu.eventId}, which was rejected`
      if (one.pdu.roomId !== roomId) yield `${pdu.eventId} cites an event of ${one.pdu.roomId}`
      if (one.nid >= event.nid)
        yield `${pdu.eventId} (${event.nid}) cites ${one.pdu.eventId} (${one.nid}), which is not before it`
    }
    const createId = createEventIdOf(pdu.roomId)
    const create = rules.roomIdIsCreateHash && createId !== undefined ? events.get(createId) : undefined
    const state = authStateOf([...(create === undefined ? [] : [create.pdu]), ...cited.map((one) => one.pdu)])
    const verdict = authorize(rules, pdu, state)
    if (!verdict.allowed) yield `${pdu.eventId} ${pdu.type} is not allowed by what it cites: ${verdict.rule}`
  }
}

/** An invitation to a room that nobody here was in: nobody could check it. */
function isFromOutside({ flags, position }: StoredEvent): boolean {
  return (flags & EVENT_FLAGS.outlier) !== 0 && position > 0
}
