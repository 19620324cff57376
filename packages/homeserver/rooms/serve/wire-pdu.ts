/** Events as other servers get them. */
import { signEventJson } from '@holdfast/protocol/event/sign'
import type { Homeserver } from '../../homeserver.ts'
import { EVENT_FLAGS } from '../../storage/events.ts'
import type { StoredEvent } from '../event-store.ts'

export type WireDeps = Pick<Homeserver, 'events' | 'serverName' | 'signingKeyAt'>

/**
 * Signed texts live as long as their event does in the event store's cache. What a redaction leaves of an event is another
 * object there, so a text that is gone is never found here again.
 */
const signed = new WeakMap<StoredEvent, string>()

/**
 * The PDU in canonical JSON: as it came, or with our signature if it is ours; redacted if the event is. In room versions 1
 * and 2 its id is inside.
 */
export async function wirePdu(deps: WireDeps, event: StoredEvent): Promise<string> {
  if ((event.flags & EVENT_FLAGS.unsigned) === 0) return event.json
  let json = signed.get(event)
  if (json === undefined) {
    const { rules } = await deps.events.room(event.roomNid)
    json = signEventJson(event.json, rules, deps.serverName, deps.signingKeyAt(event.pdu.originServerTs))
    signed.set(event, json)
  }
  return json
}
