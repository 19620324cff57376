/** What is known of an event: where it stands, why it was refused, what it changed, who has not heard of it. */
import type { EventId } from '@holdfast/protocol/ids/brand'
import { stateMapGet } from '@holdfast/protocol/state/state-map'
import { eventIdHash, type StoredEvent } from '../rooms/event-store.ts'
import { eventsByIdHash } from '../storage/events.ts'
import { eventVerdict } from '../storage/federation-rooms.ts'
import { marksOf, type EventMark } from './flags.ts'
import { EXPLAIN_LIMITS } from './limits.ts'
import { stateChangeBy, type StateDeps, type StateExplained } from './state-change.ts'
import { waitingFor, type Waiting, type WaitingDeps } from './waiting.ts'

export type ExplainEventDeps = StateDeps & WaitingDeps

export type KnownEvent = Waiting & {
  readonly room_id: string
  readonly type: string
  readonly state_key: string | null
  readonly sender: string
  readonly origin_server_ts: number
  readonly marks: readonly EventMark[]
  /** Why it was rejected or soft-failed. */
  readonly verdict: { readonly rule: string; readonly message: string } | null
  readonly redacted_by: string | null
  /** The state event whose place it took. */
  readonly replaces: string | null
  /** The event that stands at its key now; null for a message. */
  readonly current: string | null
  readonly state: StateExplained | null
}

export type EventExplanation = {
  readonly kind: 'event'
  readonly event_id: string
  /** Ids of the first room versions can be used in several rooms. */
  readonly found: readonly KnownEvent[]
}

export async function explainEvent(deps: ExplainEventDeps, eventId: EventId): Promise<EventExplanation> {
  const rows = await eventsByIdHash(deps.db, eventIdHash(eventId))
  const nids = rows.flatMap((row) => (row.event_id === eventId ? [row.event_nid] : []))
  const events = await deps.events.byNids(nids.slice(0, EXPLAIN_LIMITS.sameIdMax))
  const found: KnownEvent[] = []
  for (const event of events.values()) found.push(await known(deps, event))
  return { kind: 'event', event_id: eventId, found }
}

async function known(deps: ExplainEventDeps, event: StoredEvent): Promise<KnownEvent> {
  const { type, stateKey, sender, originServerTs, roomId } = event.pdu
  return {
    room_id: roomId,
    type,
    state_key: stateKey ?? null,
    sender,
    origin_server_ts: originServerTs,
    marks: marksOf(event.flags),
    verdict: (await eventVerdict(deps.db, event.nid)) ?? null,
    redacted_by: await idOf(deps, event.redactedByNid),
    replaces: await idOf(deps, event.replacesNid),
    current: await currentAt(deps, event),
    state: (await stateChangeBy(deps, event)) ?? null,
    ...(await waitingFor(deps, event)),
  }
}

async function currentAt(deps: ExplainEventDeps, { roomNid, stateKeyNid }: StoredEvent): Promise<string | null> {
  if (stateKeyNid === undefined) return null
  const head = await deps.heads.byNid(roomNid)
  return idOf(deps, stateMapGet(head.state.map, stateKeyNid))
}

async function idOf({ events }: ExplainEventDeps, nid: number | undefined): Promise<string | null> {
  return nid === undefined ? null : ((await events.byNid(nid))?.pdu.eventId ?? null)
}
