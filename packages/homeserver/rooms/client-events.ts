/** Many events at once in client form, with what `unsigned` says of other events. */
import { stateMapGet } from '@holdfast/protocol/state/state-map'
import { parseMembership } from '@holdfast/protocol/visibility/history-visibility'
import type { Homeserver } from '../homeserver.ts'
import { clientEventText, type ClientEventExtras, type EventReader } from './client-event.ts'
import { withoutErased } from './erased-content.ts'
import type { StoredEvent } from './event-store.ts'
import { EMPTY_STATE } from './state-store.ts'
import { visibleEvents, type EventReaderUser, type ReadDeps } from './visible-events.ts'

export type ClientEventFormat = {
  /** undefined: nobody in particular, no `transaction_id`. */
  readonly reader: (EventReader & EventReaderUser) | undefined
  readonly room: 'with-room-id' | 'without-room-id'
  /** As part of a state nothing is told of what stood there before: that may be older than what the reader may see. */
  readonly as?: 'timeline' | 'state'
}

/** The texts of the events, in their order. All are of one room. */
export async function clientEvents(
  deps: ReadDeps & Pick<Homeserver, 'clock'>,
  stored: readonly StoredEvent[],
  format: ClientEventFormat,
): Promise<readonly string[]> {
  const events = await withoutErased(deps, stored, format.reader)
  const named = new Set<number>()
  for (const event of events) {
    if (event.replacesNid !== undefined && format.as !== 'state') named.add(event.replacesNid)
    if (event.redactedByNid !== undefined) named.add(event.redactedByNid)
  }
  const others = named.size === 0 ? NONE : await deps.events.byNids(named)
  const nowMs = deps.clock.nowMs()
  const redactions = await redactionTexts(deps, { events, others, reader: format.reader, nowMs })
  const memberships = await membershipsAt(deps, events, format)
  return events.map((event) => {
    const previous = event.replacesNid === undefined ? undefined : others.get(event.replacesNid)
    const redaction = redactionOf(event, { others, texts: redactions })
    const membership = memberships.get(event.stateNid)
    const extras = { nowMs, ...replaced(previous), ...redaction, membership }
    return clientEventText(event, format.reader, extras, format.room)
  })
}

/** What the reader was to the room with each event, by the state after it: who was not in it need not have its keys. */
async function membershipsAt(
  deps: ReadDeps,
  events: readonly StoredEvent[],
  { as, reader }: ClientEventFormat,
): Promise<ReadonlyMap<number, string>> {
  if (reader === undefined || as === 'state') return NO_TEXTS
  const memberKey = await deps.dictionary.stateKeyNid({ type: 'm.room.member', stateKey: reader.userId })
  const memberships = new Map<number, string>()
  for (const { stateNid } of events) {
    if (stateNid === EMPTY_STATE.nid || memberships.has(stateNid)) continue
    const { map } = await deps.states.load(stateNid)
    const nid = memberKey === undefined ? undefined : stateMapGet(map, memberKey)
    const member = nid === undefined ? undefined : await deps.events.byNid(nid)
    memberships.set(stateNid, parseMembership(member?.pdu.content) ?? 'leave')
  }
  return memberships
}

function replaced(previous: StoredEvent | undefined): Partial<ClientEventExtras> {
  if (previous === undefined) return {}
  return {
    previousContent: JSON.stringify(previous.pdu.content),
    previousSender: previous.pdu.sender,
    replacesEventId: previous.pdu.eventId,
  }
}

function redactionOf(
  { redactedByNid }: StoredEvent,
  { others, texts }: { readonly others: ReadonlyMap<number, StoredEvent>; readonly texts: ReadonlyMap<number, string> },
): Partial<ClientEventExtras> {
  if (redactedByNid === undefined) return {}
  return { redactedBecause: texts.get(redactedByNid), redactedById: others.get(redactedByNid)?.pdu.eventId }
}

/** Who may not read a redaction, as after leaving, learns that there was one, but not why. */
async function redactionTexts(
  deps: ReadDeps,
  query: {
    readonly events: readonly StoredEvent[]
    readonly others: ReadonlyMap<number, StoredEvent>
    readonly reader: EventReaderUser | undefined
    readonly nowMs: number
  },
): Promise<ReadonlyMap<number, string>> {
  const { events, others, reader, nowMs } = query
  const nids = new Set(events.flatMap(({ redactedByNid }) => redactedByNid ?? []))
  if (nids.size === 0) return NO_TEXTS
  const redactions = [...nids].flatMap((nid) => others.get(nid) ?? [])
  const visible = new Set(reader === undefined ? redactions : await visibleEvents(deps, reader, redactions))
  const told = await withoutErased(deps, redactions, reader)
  return new Map(
    redactions.map((redaction, index) => {
      const shown = visible.has(redaction) ? told[index]! : withoutReason(redaction)
      return [redaction.nid, clientEventText(shown, undefined, { nowMs }, 'with-room-id')]
    }),
  )
}

function withoutReason(redaction: StoredEvent): StoredEvent {
  const { redacts } = redaction.pdu.content
  return { ...redaction, pdu: { ...redaction.pdu, content: redacts === undefined ? {} : { redacts } } }
}

const NONE: ReadonlyMap<number, StoredEvent> = new Map()
const NO_TEXTS: ReadonlyMap<number, string> = new Map()
