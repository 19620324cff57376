/** Events as clients see them: text spliced from the stored PDU, with the `unsigned` of this reader. */
import type { StoredEvent } from './event-store.ts'

/** Who reads: `transaction_id` is shown only to the device that sent the event. */
export type EventReader = { readonly deviceNid: number }

export type ClientEventExtras = {
  /** Milliseconds now, for `unsigned.age`. */
  readonly nowMs: number
  /** The content of the state event this one replaced, as JSON text. */
  readonly previousContent?: string | undefined
  readonly previousSender?: string | undefined
  readonly replacesEventId?: string | undefined
  /** The redaction event in client form, as JSON text. */
  readonly redactedBecause?: string | undefined
  readonly redactedById?: string | undefined
  /** The reader's membership when the event was sent. */
  readonly membership?: string | undefined
}

const bodies = new WeakMap<StoredEvent, string>()

/** The event without `unsigned`, its closing brace and room_id: made once for each event in memory. */
function bodyOf(event: StoredEvent): string {
  let body = bodies.get(event)
  if (body === undefined) {
    const { pdu } = event
    const members: Record<string, unknown> = {
      content: pdu.content,
      event_id: pdu.eventId,
      origin_server_ts: pdu.originServerTs,
      sender: pdu.sender,
      type: pdu.type,
    }
    if (pdu.stateKey !== undefined) members['state_key'] = pdu.stateKey
    // Clients of old rooms look for `redacts` beside the content, those of new rooms inside: both find it.
    if (pdu.redacts !== undefined) members['redacts'] = pdu.redacts
    body = JSON.stringify(members).slice(0, -1)
    bodies.set(event, body)
  }
  return body
}

/** The client form of an event; `room` says whether it carries `room_id` (sync leaves it out). */
export function clientEventText(
  event: StoredEvent,
  reader: EventReader | undefined,
  extras: ClientEventExtras,
  room: 'with-room-id' | 'without-room-id',
): string {
  const unsigned: string[] = [`"age":${Math.max(0, extras.nowMs - event.pdu.originServerTs)}`]
  if (reader !== undefined && event.deviceNid === reader.deviceNid && event.transactionId !== undefined) {
    unsigned.push(`"transaction_id":${JSON.stringify(event.transactionId)}`)
  }
  if (extras.previousContent !== undefined) unsigned.push(`"prev_content":${extras.previousContent}`)
  if (extras.previousSender !== undefined) unsigned.push(`"prev_sender":${JSON.stringify(extras.previousSender)}`)
  if (extras.replacesEventId !== undefined) unsigned.push(`"replaces_state":${JSON.stringify(extras.replacesEventId)}`)
  if (extras.redactedBecause !== undefined) unsigned.push(`"redacted_because":${extras.redactedBecause}`)
  // In no specification, and said by the other servers all the same: some clients read nothing else.
  if (extras.redactedById !== undefined) unsigned.push(`"redacted_by":${JSON.stringify(extras.redactedById)}`)
  if (extras.membership !== undefined) unsigned.push(`"membership":${JSON.stringify(extras.membership)}`)
  const roomId = room === 'with-room-id' ? `,"room_id":${JSON.stringify(event.pdu.roomId)}` : ''
  return `${bodyOf(event)}${roomId},"unsigned":{${unsigned.join(',')}}}`
}
