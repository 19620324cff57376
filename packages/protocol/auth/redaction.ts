/** Whether a redaction that was accepted takes effect. <https://spec.matrix.org/v1.19/rooms/v3/#handling-redactions> */
import type { Pdu } from '../event/pdu.ts'
import { serverNameOf } from '../ids/common.ts'
import type { RoomRules } from '../room-version/rules.ts'
import { domainOf } from './auth-state.ts'
import type { AuthState } from './auth-state.ts'
import { powerLevels } from './power-levels.ts'

export type RedactionPair = {
  readonly redaction: Pdu
  /** The event that it names. */
  readonly target: Pdu
  /** The state before the redaction. */
  readonly state: AuthState
}

/**
 * Ask when both events are there, whichever comes last. The answer speaks of this pair alone, so that redactions of
 * redactions, and of one another, end after one step.
 */
export function redactionApplies(rules: RoomRules, { redaction, target, state }: RedactionPair): boolean {
  if (redaction.type !== 'm.room.redaction' || redaction.redacts !== target.eventId) return false
  if (redaction.roomId !== target.roomId || redaction.eventId === target.eventId) return false
  // Before version 11 redaction would take the room version out of the create event, and the room would be another one.
  if (target.type === 'm.room.create') return false
  const levels = powerLevels(rules, state)
  return levels.ofUser(redaction.sender) >= levels.redact || isOwn(rules, redaction, target)
}

/** In versions 1 and 2 this is rule 11.2, which goes by the servers in the event ids; later by those of the senders. */
function isOwn(rules: RoomRules, redaction: Pdu, target: Pdu): boolean {
  if (rules.redactionRule) return domainOf(redaction.eventId) === domainOf(target.eventId)
  return serverNameOf(redaction.sender) === serverNameOf(target.sender)
}
