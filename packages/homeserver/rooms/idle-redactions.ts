/** Redactions without effect. Clients hear of a redaction once it has one. <https://spec.matrix.org/v1.19/rooms/v3/#handling-redactions> */
import { redactionApplies } from '@holdfast/protocol/auth/redaction'
import type { Homeserver } from '../homeserver.ts'
import { authStateAt } from './current-state.ts'
import type { StoredEvent } from './event-store.ts'

const DECIDING_STATE = [
  { type: 'm.room.create', stateKey: '' },
  { type: 'm.room.power_levels', stateKey: '' },
]

/** Whether the event redacts another one of which nothing is known, or which its sender may not redact. */
export async function isIdleRedaction(
  deps: Pick<Homeserver, 'dictionary' | 'events' | 'states'>,
  event: StoredEvent,
): Promise<boolean> {
  const { type, redacts } = event.pdu
  if (type !== 'm.room.redaction' || redacts === undefined) return false
  const { rules } = await deps.events.room(event.roomNid)
  // In versions 1 and 2 the authorisation rules decide, and a redaction that they let pass is an event like any other.
  if (rules.redactionRule) return false
  const target = await deps.events.inRoom(event.roomNid, redacts)
  if (target === undefined) return true
  if (target.redactedByNid === event.nid) return false
  // Somebody else's redaction came first, or this one is void.
  const state = await authStateAt(deps, (await deps.states.load(event.stateNid)).map, DECIDING_STATE)
  return !redactionApplies(rules, { redaction: event.pdu, target: target.pdu, state })
}
