/** Many events at once in client form, with what `unsigned` says of other events. */
import type { Homeserver } from '../homeserver.ts'
import { clientEventText, type EventReader } from './client-event.ts'
import type { StoredEvent } from './event-store.ts'

export type ClientEventFormat = {
  /** undefined: nobody in particular, no `transaction_id`. */
  readonly reader: EventReader | undefined
  readonly room: 'with-room-id' | 'without-room-id'
}

/** The texts of the events, in their order. */
export async function clientEvents(
  deps: Pick<Homeserver, 'events' | 'clock'>,
  events: readonly StoredEvent[],
  format: ClientEventFormat,
): Promise<readonly string[]> {
  const named = new Set<number>()
  for (const event of events) {
    if (event.replacesNid !== undefined) named.add(event.replacesNid)
    if (event.redactedByNid !== undefined) named.add(event.redactedByNid)
  }
  const others = named.size === 0 ? NONE : await deps.events.byNids(named)
  const nowMs = deps.clock.nowMs()
  return events.map((event) => {
    const previous = event.replacesNid === undefined ? undefined : others.get(event.replacesNid)
    const redaction = event.redactedByNid === undefined ? undefined : others.get(event.redactedByNid)
    return clientEventText(
      event,
      format.reader,
      {
        nowMs,
        previousContent: previous === undefined ? undefined : JSON.stringify(previous.pdu.content),
        previousSender: previous?.pdu.sender,
        replacesEventId: previous?.pdu.eventId,
        redactedBecause:
          redaction === undefined ? undefined : clientEventText(redaction, undefined, { nowMs }, 'with-room-id'),
      },
      format.room,
    )
  })
}

const NONE: ReadonlyMap<number, StoredEvent> = new Map()
