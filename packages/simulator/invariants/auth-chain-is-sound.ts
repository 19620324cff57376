/** I6: what an accepted event cites is here, of the room, accepted itself, and allows the event; there is no cycle. */
import type { StoredEvent } from '@holdfast/homeserver/rooms/event-store'
import { EVENT_FLAGS } from '@holdfast/homeserver/storage/events'
import { authorize } from '@holdfast/protocol/auth/authorize'
import { authStateOf } from '@holdfast/protocol/auth/auth-state'
import { createEventIdOf } from '@holdfast/protocol/ids/room-id'
import { type HeldRoom, heldRooms, isRejected } from '../world/held-room.ts'
import type { World } from '../world/world.ts'

export async function authChainIsSound({ servers, society, complain, plan }: World): Promise<void> {
  for (const room of await heldRooms(servers, society.rooms)) {
    const problems = problemsOf(room, { isLiedTo: plan.hasLiar })
    for (const problem of problems) complain('auth-chain-is-sound', `${room.server.name}: ${problem}`)
  }
}

function* problemsOf(room: HeldRoom, { isLiedTo }: { readonly isLiedTo: boolean }): Generator<string> {
  const { events, roomId } = room
  for (const event of events.values()) {
    if (isRejected(event) || isFromOutside(event)) continue
    const { pdu } = event
    const cited = pdu.authEvents.flatMap((eventId) => events.get(eventId) ?? [])
    if (cited.length !== pdu.authEvents.length) yield `${pdu.eventId} cites events that are not here`
    for (const one of cited) {
      const wasAccepted = isLiedTo && forbiddenBy(room, one) === undefined
      if (isRejected(one) && !wasAccepted) yield `${pdu.eventId} cites ${one.pdu.eventId}, which was rejected`
      if (one.pdu.roomId !== roomId) yield `${pdu.eventId} cites an event of ${one.pdu.roomId}`
      if (one.nid >= event.nid)
        yield `${pdu.eventId} (${event.nid}) cites ${one.pdu.eventId} (${one.nid}), which is not before it`
    }
    const rule = forbiddenBy(room, event)
    if (rule !== undefined) yield `${pdu.eventId} ${pdu.type} is not allowed by what it cites: ${rule}`
  }
}

/**
 * The rule that forbids it. One that is allowed and rejected all the same was forbidden by the state at its place, which can come
 * later than what was accepted on it: only where a liar let somebody in (rooms/receive/README.md).
 */
function forbiddenBy({ events, rules }: HeldRoom, { pdu }: StoredEvent): string | undefined {
  const cited = pdu.authEvents.flatMap((eventId) => events.get(eventId) ?? [])
  const createId = createEventIdOf(pdu.roomId)
  const create = rules.roomIdIsCreateHash && createId !== undefined ? events.get(createId) : undefined
  const state = authStateOf([...(create === undefined ? [] : [create.pdu]), ...cited.map((one) => one.pdu)])
  const verdict = authorize(rules, pdu, state)
  return verdict.allowed ? undefined : verdict.rule
}

/** An invitation to a room that nobody here was in: nobody could check it. */
function isFromOutside({ flags, position }: StoredEvent): boolean {
  return (flags & EVENT_FLAGS.outlier) !== 0 && position > 0
}
