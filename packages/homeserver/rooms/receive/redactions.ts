/** What a received event redacts, and what redacts it, whichever of the two comes last. <https://spec.matrix.org/v1.19/rooms/v3/#handling-redactions> */
import { redactionApplies } from '@holdfast/protocol/auth/redaction'
import type { EventId } from '@holdfast/protocol/ids/brand'
import { redactStoredEvent } from '../../storage/events.ts'
import { deleteWaitingRedactions, insertWaitingRedaction } from '../../storage/federation-rooms.ts'
import { redactedJson } from '../redact-event.ts'
import type { SideStatement, StoredEventRef } from '../room-changes.ts'
import type { RoomState } from '../state-store.ts'
import type { BatchLookups } from './batch-lookups.ts'
import type { BatchStates } from './batch-states.ts'
import type { BatchRoom } from './received-batch.ts'

export type RedactionEffects = {
  readonly sides: readonly SideStatement[]
  readonly redactedNids: readonly number[]
}

type Redacting = {
  readonly room: BatchRoom
  readonly event: StoredEventRef
  /** The state before the event. */
  readonly before: RoomState
  /** An event of this room. */
  readonly find: (eventId: EventId) => Promise<StoredEventRef | undefined>
}

type RedactingDeps = { readonly states: BatchStates; readonly lookups: BatchLookups }

const NOTHING: RedactionEffects = { sides: [], redactedNids: [] }

export async function effectsOfRedactions(deps: RedactingDeps, redacting: Redacting): Promise<RedactionEffects> {
  const { redacts, type } = redacting.event.pdu
  const made =
    type === 'm.room.redaction' && redacts !== undefined ? await redactOther(deps, redacting, redacts) : NOTHING
  const suffered = await redactedByEarlier(deps, redacting)
  return { sides: [...made.sides, ...suffered.sides], redactedNids: [...made.redactedNids, ...suffered.redactedNids] }
}

async function redactOther(
  deps: RedactingDeps,
  { room, event, before, find }: Redacting,
  targetId: EventId,
): Promise<RedactionEffects> {
  const target = await find(targetId)
  if (target === undefined) {
    deps.lookups.redactionWaits(targetId, event.nid)
    const statement = insertWaitingRedaction({ roomNid: room.roomNid, targetId, redactionNid: event.nid })
    return { sides: [{ statement, broken: undefined }], redactedNids: [] }
  }
  const state = await deps.states.authState(before.map, event.pdu)
  if (!redactionApplies(room.rules, { redaction: event.pdu, target: target.pdu, state })) return NOTHING
  return redaction(target, event, room)
}

async function redactedByEarlier(deps: RedactingDeps, { room, event }: Redacting): Promise<RedactionEffects> {
  const { eventId } = event.pdu
  const waiting = await deps.lookups.redactionsOf(eventId)
  if (waiting.length === 0) return NOTHING
  const forget = deleteWaitingRedactions({ roomNid: room.roomNid, targetId: eventId })
  for (const nid of waiting) {
    const by = await deps.states.event(nid)
    if (by === undefined) continue
    // Redactions are no state events: the state after one is the state before it.
    const { map } = await deps.states.load(by.stateNid)
    const state = await deps.states.authState(map, by.pdu)
    // One that was itself redacted meanwhile no longer says what it redacts, and still does.
    const named = { ...by.pdu, redacts: eventId }
    if (!redactionApplies(room.rules, { redaction: named, target: event.pdu, state })) continue
    const { sides, redactedNids } = redaction(event, by, room)
    return { sides: [...sides, { statement: forget, broken: undefined }], redactedNids }
  }
  return { sides: [{ statement: forget, broken: undefined }], redactedNids: [] }
}

function redaction(target: StoredEventRef, by: StoredEventRef, { rules }: BatchRoom): RedactionEffects {
  if (target.redactedByNid !== undefined) return NOTHING
  const statement = redactStoredEvent({ targetNid: target.nid, byNid: by.nid, json: redactedJson(target, rules) })
  return { sides: [{ statement, broken: undefined }], redactedNids: [target.nid] }
}
