/**
 * State resolution a second time, for comparison: on strings, sets and recursion, sentence by sentence from the text, with no
 * thought of cost. It shares nothing with the other but the authorisation rules.
 */
import { authorize } from '../../../auth/authorize.ts'
import { selectAuthEvents } from '../../../event/auth-events.ts'
import type { Pdu } from '../../../event/pdu.ts'
import type { RoomRules } from '../../../room-version/rules.ts'

export type NaiveEvent = { readonly pdu: Pdu; readonly rejected: boolean }

export type NaiveRoom = {
  readonly rules: RoomRules
  /** By event id; what is not here is missing. */
  readonly events: ReadonlyMap<string, NaiveEvent>
  readonly create: Pdu
}

/** Event ids by `type|state_key`. */
export type NaiveState = ReadonlyMap<string, string>

export function keyOf({ type, stateKey }: { readonly type: string; readonly stateKey?: string | undefined }): string {
  return `${type}|${stateKey}`
}

export function knownAuthEvents(room: NaiveRoom, id: string): string[] {
  return (room.events.get(id)?.pdu.authEvents ?? []).filter((auth) => room.events.has(auth))
}

/** Whether the rules allow the event in a state, given by the event ids that it has at the keys which the rules look at. */
export function allows(room: NaiveRoom, pdu: Pdu, at: (key: string) => string | undefined): boolean {
  const found = new Map<string, Pdu>()
  for (const wanted of selectAuthEvents(room.rules, pdu)) {
    const id = at(keyOf(wanted))
    const event = id === undefined ? undefined : room.events.get(id)
    if (event !== undefined) found.set(keyOf(wanted), event.pdu)
  }
  if (room.rules.roomIdIsCreateHash) found.set('m.room.create|', room.create)
  return authorize(room.rules, pdu, { get: (type, stateKey) => found.get(keyOf({ type, stateKey })) }).allowed
}

export function keysOf(states: readonly NaiveState[]): Set<string> {
  return new Set(states.flatMap((state) => [...state.keys()]))
}
