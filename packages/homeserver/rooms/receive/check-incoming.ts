/** Checks 1 to 3 on receipt: format, signatures, hashes. <https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu> */
import { parsePdu, type ParsedPdu } from '@holdfast/protocol/event/format'
import type { Pdu } from '@holdfast/protocol/event/pdu'
import type { EventId, RoomId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import { createSlices } from '@holdfast/platform/clock/slices'
import { signaturesHold, type EventSignaturesDeps } from '../../federation/keys/event-signatures.ts'
import { exactForm } from '../../federation/transport/exact-forms.ts'
import type { IncomingEvent } from './incoming.ts'

export type CheckedEvents = {
  readonly incoming: readonly IncomingEvent[]
  /** The id of each value, by its place; undefined where the value is no event of this room. */
  readonly ids: readonly (EventId | undefined)[]
  /** What is wrong with the others, as far as they have an id at all. */
  readonly problems: ReadonlyMap<EventId, string>
  /** Those of them that may be sound, by id: the keys they are signed with could not be had now. */
  readonly unverified: ReadonlyMap<EventId, Pdu>
  /** Whether one of the values has numbers or texts that no canonical JSON has: it has no id in any server's eyes. */
  readonly hasNonCanonical: boolean
}

/** An event as it came, and once more with its numbers as they are spelt, where those are not canonical. */
export type ReceivedValue = { readonly value: JsonObject; readonly exact?: JsonObject | undefined }

export type CheckedRoom = { readonly roomId: RoomId; readonly rules: RoomRules }

/** Those of the values that are sound events of this room, each once. */
export async function checkIncoming(
  deps: EventSignaturesDeps,
  { roomId, rules }: CheckedRoom,
  { values, signal }: { readonly values: readonly ReceivedValue[]; readonly signal?: AbortSignal },
): Promise<CheckedEvents> {
  const parsed = new Map<EventId, ParsedPdu>()
  const ids: (EventId | undefined)[] = []
  let hasNonCanonical = false
  const slice = createSlices(deps.clock)
  for (const { value, exact } of values) {
    await slice()
    const one = parsePdu(value, rules, exact ?? exactForm(value))
    hasNonCanonical ||= !one.ok && one.problem === 'not-canonical'
    const isOfRoom = one.ok && one.pdu.roomId === roomId
    ids.push(isOfRoom ? one.pdu.eventId : undefined)
    if (isOfRoom) parsed.set(one.pdu.eventId, one)
  }
  const events = [...parsed.values()]
  const verdicts = await signaturesHold(deps, { rules, events, ...(signal === undefined ? {} : { signal }) })
  const incoming: IncomingEvent[] = []
  const problems = new Map<EventId, string>()
  const unverified = new Map<EventId, Pdu>()
  for (const [index, verdict] of verdicts.entries()) {
    const event = events[index]!
    if (verdict.ok) incoming.push({ parsed: event, signedBy: verdict.signedBy })
    else problems.set(event.pdu.eventId, verdict.message)
    if (!verdict.ok && verdict.problem === 'unknown-key') unverified.set(event.pdu.eventId, event.pdu)
  }
  return { incoming, ids, problems, unverified, hasNonCanonical }
}
