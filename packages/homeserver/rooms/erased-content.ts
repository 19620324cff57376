/** What senders who asked to be erased have said is for those who were there. <https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3accountdeactivate> */
import { exactEvent } from '@holdfast/protocol/event/exact-json'
import { redactEvent as redactedForm } from '@holdfast/protocol/event/redact'
import { eventText } from '@holdfast/protocol/event/text'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { stateMapGet } from '@holdfast/protocol/state/state-map'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import type { StoredEvent } from './event-store.ts'
import type { EventReaderUser, ReadDeps } from './visible-events.ts'

/** The events, with a redacted copy of each message of an erased user that was sent while the reader was not in the room. */
export async function withoutErased(
  deps: ReadDeps,
  events: readonly StoredEvent[],
  reader: EventReaderUser | undefined,
): Promise<readonly StoredEvent[]> {
  const erased = await deps.accounts.erased.all()
  const isConcerned = (event: StoredEvent): boolean => erased.has(event.senderNid) && event.pdu.stateKey === undefined
  if (erased.size === 0 || !events.some(isConcerned)) return events
  const shown: StoredEvent[] = []
  for (const event of events) {
    const isHidden = isConcerned(event) && !(await wasJoined(deps, event, reader))
    shown.push(isHidden ? redactedCopy(event, (await deps.events.room(event.roomNid)).rules) : event)
  }
  return shown
}

async function wasJoined(deps: ReadDeps, event: StoredEvent, reader: EventReaderUser | undefined): Promise<boolean> {
  if (reader === undefined) return false
  const memberKey = await deps.dictionary.stateKeyNid({ type: 'm.room.member', stateKey: reader.userId })
  if (memberKey === undefined) return false
  const memberNid = stateMapGet((await deps.states.load(event.stateNid)).map, memberKey)
  const member = memberNid === undefined ? undefined : await deps.events.byNid(memberNid)
  return member?.pdu.content['membership'] === 'join'
}

/** What a redaction leaves of an event; the stored event stays as it is. */
export function redactedCopy(event: StoredEvent, rules: RoomRules): StoredEvent {
  const json = eventText(redactedForm(exactEvent(event.json, rules), rules), rules)!
  // The exact form has marks in place of numbers, so the content is read from the text.
  const { content } = JSON.parse(json) as { readonly content: JsonObject }
  return { ...event, json, pdu: { ...event.pdu, content } }
}
