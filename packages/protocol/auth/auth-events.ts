/** The rule that considers an event's own `auth_events`, which needs no room state. */
import { selectAuthEvents } from '../event/auth-events.ts'
import type { Pdu } from '../event/pdu.ts'
import { createEventIdOf } from '../ids/room-id.ts'
import type { RoomRules } from '../room-version/rules.ts'
import { ALLOWED, reject } from './auth-rules.ts'
import type { AuthVerdict } from './auth-rules.ts'

export type AuthEvent = {
  readonly event: Pdu
  /** Whether it was itself rejected when it was received. */
  readonly rejected: boolean
}

export type AuthEvents = {
  /** Those that the event cites, each as often as it cites it. None may be missing: fetch them first. */
  readonly cited: readonly AuthEvent[]
  /** The room's create event, which is not cited where the room id is its hash. Looked at in those room versions only. */
  readonly create?: AuthEvent | undefined
}

/**
 * Rule 2 of room versions 1 to 11, rules 2 and 3 of version 12. An event that passes is then to be authorised against the
 * state that its auth events make (`authStateOf`), with the create event where that is not cited.
 * <https://spec.matrix.org/v1.19/rooms/v12/#authorisation-rules>
 */
export function checkAuthEvents(rules: RoomRules, event: Pdu, { cited, create }: AuthEvents): AuthVerdict {
  // A create event is decided before these rules, by itself; whatever it cites is not looked at.
  if (event.type === 'm.room.create') return ALLOWED
  if (rules.roomIdIsCreateHash && !isAcceptedCreate(event, create)) return reject('room-not-created')
  const keys = cited.map(({ event: { type, stateKey } }) => keyText(type, stateKey))
  if (new Set(keys).size < keys.length) return reject('auth-events-duplicate')
  const selected = new Set(selectAuthEvents(rules, event).map(({ type, stateKey }) => keyText(type, stateKey)))
  if (!keys.every((key) => selected.has(key))) return reject('auth-events-unselected')
  if (cited.some(({ rejected }) => rejected)) return reject('auth-events-rejected')
  if (!rules.roomIdIsCreateHash && !cited.some((entry) => entry.event.type === 'm.room.create')) {
    return reject('auth-events-without-create')
  }
  if (cited.some((entry) => entry.event.roomId !== event.roomId)) return reject('auth-events-of-other-room')
  return ALLOWED
}

function isAcceptedCreate(event: Pdu, create: AuthEvent | undefined): boolean {
  if (create === undefined || create.rejected || create.event.type !== 'm.room.create') return false
  return createEventIdOf(event.roomId) === create.event.eventId
}

/** Different for a message event and for a state event with any state key. */
function keyText(type: string, stateKey: string | undefined): string {
  return JSON.stringify([type, stateKey ?? null])
}
