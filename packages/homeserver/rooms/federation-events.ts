/** Events as other servers read them, for clients that ask for the federation format. <https://spec.matrix.org/v1.19/client-server-api/#filtering> */
import { signEventJson } from '@holdfast/protocol/event/sign'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../homeserver.ts'
import { EVENT_FLAGS } from '../storage/events.ts'
import { withoutErased } from './erased-content.ts'
import type { StoredEvent } from './event-store.ts'
import type { EventReaderUser, ReadDeps } from './visible-events.ts'

type FederationDeps = ReadDeps & Pick<Homeserver, 'serverName' | 'signingKeyAt'>

/** Signed, and with the ids of event and room also in the room versions where PDUs do not hold them. */
export async function federationEvents(
  deps: FederationDeps,
  events: readonly StoredEvent[],
  reader: EventReaderUser,
): Promise<readonly string[]> {
  const texts: string[] = []
  for (const event of await withoutErased(deps, events, reader)) texts.push(await federationText(deps, event))
  return texts
}

async function federationText(deps: FederationDeps, event: StoredEvent): Promise<string> {
  const { rules } = await deps.events.room(event.roomNid)
  const isUnsigned = (event.flags & EVENT_FLAGS.unsigned) !== 0
  const { eventId, roomId, originServerTs } = event.pdu
  const key = deps.signingKeyAt(originServerTs)
  const json = isUnsigned ? signEventJson(event.json, rules, deps.serverName, key) : event.json
  return JSON.stringify({ ...(JSON.parse(json) as JsonObject), event_id: eventId, room_id: roomId })
}
