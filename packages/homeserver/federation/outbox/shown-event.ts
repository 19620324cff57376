/** What a server may have of an event that was not sent when it was new. */
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import type { StoredEvent } from '../../rooms/event-store.ts'
import { serverMemberships } from '../../rooms/serve/server-memberships.ts'
import { serverVisibleEvents } from '../../rooms/serve/server-visibility.ts'
import type { ReadDeps } from '../../rooms/visible-events.ts'

/** The event, what a redaction leaves of it, or undefined: it is none of its business. */
export async function shownEvent(
  deps: ReadDeps,
  server: ServerName,
  event: StoredEvent,
): Promise<StoredEvent | undefined> {
  const head = await deps.heads.byNid(event.roomNid)
  // Sent here while only the names of the servers in the room were known: they were there.
  if (head.members.servers.get(server) === 0) return event
  // It may have come into the room since.
  if (head.members.servers.has(server)) return (await serverVisibleEvents(deps, server, [event]))[0]
  if (isAboutUserOf(server, event)) return event
  // It is told of an end: of what came before only what it was there for, and nothing if it was only invited.
  const { joined } = await serverMemberships(deps, head, server).at((await deps.states.load(event.stateNid)).map)
  return joined ? (await serverVisibleEvents(deps, server, [event]))[0] : undefined
}

function isAboutUserOf(server: ServerName, { pdu: { type, stateKey } }: StoredEvent): boolean {
  const user = type === 'm.room.member' ? parseUserId(stateKey ?? '') : undefined
  return user !== undefined && serverNameOf(user) === server
}
