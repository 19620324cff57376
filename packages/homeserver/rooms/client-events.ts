/** Many events at once in client form, with what `unsigned` says of other events. */
import type { Homeserver } from '../homeserver.ts'
import { clientEventText, type ClientEventExtras, type EventReader } from './client-event.ts'
import { withoutErased } from './erased-content.ts'
import type { StoredEvent } from './event-store.ts'
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
  return events.map((event) => {
    const previous = event.replacesNid === undefined ? undefined : others.get(event.replacesNid)
    const redactedBecause = event.redactedByNid === undefined ? undefined : redactions.get(event.redactedByNid)
    return clientEventText(event, format.reader, { nowMs, ...replaced(previous), redactedBecause }, format.room)
  })
}

function replaced(previous: StoredEvent | undefined): Partial<ClientEventExtras> {
  if (previous === undefined) return {}
  return {
    previousContent: JSON.stringify(previous.pdu.content),
    previousSender: previous.pdu.sender,
    replacesEventId: previous.pdu.eventId,
  }
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
