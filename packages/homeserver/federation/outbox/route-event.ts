/** Which servers have to hear of an event. */
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { ServerName, UserId } from '@holdfast/protocol/ids/brand'
import { parseServerName } from '@holdfast/protocol/ids/server-name'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import { parseMembership } from '@holdfast/protocol/visibility/history-visibility'
import type { Homeserver } from '../../homeserver.ts'
import type { StoredEvent } from '../../rooms/event-store.ts'

type RouteDeps = Pick<Homeserver, 'events' | 'heads' | 'serverName'>

/** Those in the room now, those that the event took out of it, and the one whose invitation or knock it ends. */
export async function destinationsOf(
  deps: RouteDeps,
  event: StoredEvent,
  departed: string | null,
): Promise<ReadonlySet<ServerName>> {
  const head = await deps.heads.find(event.roomNid)
  if (head === undefined) return new Set()
  const turnedAway = await serverTurnedAway(deps, event)
  // Read last, without waiting behind it: the members change in place.
  const destinations = new Set([...head.members.servers.keys(), ...departedServers(departed)])
  if (turnedAway !== undefined) destinations.add(turnedAway)
  destinations.delete(deps.serverName)
  destinations.delete(serverNameOf(event.pdu.sender))
  return destinations
}

export function departedServers(departed: string | null): readonly ServerName[] {
  if (departed === null) return []
  return (JSON.parse(departed) as readonly string[]).flatMap((name) => parseServerName(name) ?? [])
}

/** Who was invited and is not in the room hears from nobody else that the invitation is gone. */
async function serverTurnedAway(deps: RouteDeps, event: StoredEvent): Promise<ServerName | undefined> {
  const { type, stateKey, content } = event.pdu
  if (type !== 'm.room.member' || event.replacesNid === undefined) return undefined
  const membership = parseMembership(content)
  if (membership !== 'leave' && membership !== 'ban') return undefined
  const before = parseMembership((await deps.events.byNid(event.replacesNid))?.pdu.content)
  const user: UserId | undefined = parseUserId(stateKey ?? '')
  const wasWaiting = before === 'invite' || before === 'knock'
  return wasWaiting && user !== undefined ? serverNameOf(user) : undefined
}
