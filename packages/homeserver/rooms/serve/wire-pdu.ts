/** Events as other servers get them. */
import { signEventJson } from '@holdfast/protocol/event/sign'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import type { Homeserver } from '../../homeserver.ts'
import { EVENT_FLAGS } from '../../storage/events.ts'
import type { StoredEvent } from '../event-store.ts'

type SignDeps = Pick<Homeserver, 'serverName' | 'signingKeyAt'>

export type WireDeps = SignDeps & Pick<Homeserver, 'events'>

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
    json = wireText(deps, event, rules)
    signed.set(event, json)
  }
  return json
}

/** As `wirePdu`, for an event as it is stored, of which nothing is to be remembered. */
export function wireText(
  deps: SignDeps,
  { flags, json }: { readonly flags: number; readonly json: string },
  rules: RoomRules,
): string {
  if ((flags & EVENT_FLAGS.unsigned) === 0) return json
  const { origin_server_ts: createdMs } = JSON.parse(json) as { readonly origin_server_ts: number }
  return signEventJson(json, rules, deps.serverName, deps.signingKeyAt(createdMs))
}
