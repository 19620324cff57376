/** Which servers have to hear of an event. */
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { ServerName, UserId } from '@holdfast/protocol/ids/brand'
import { parseServerName } from '@holdfast/protocol/ids/server-name'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import { parseMembership } from '@holdfast/protocol/visibility/history-visibility'
import type { Homeserver } from '../../homeserver.ts'
import type { StoredEvent } from '../../rooms/event-store.ts'

type RouteDeps = Pick<Homeserver, 'events' | 'heads' | 'serverName'>

export type Destinations = {
  readonly servers: ReadonlySet<ServerName>
  /** The state is no longer what it was: some of them may have come into the room after the event. */
  readonly isOld: boolean
}

/** Those in the room now, those that have left it since, and the one whose invitation or knock the event ends. */
export async function destinationsOf(
  deps: RouteDeps,
  event: StoredEvent,
  leaving: Iterable<ServerName>,
): Promise<Destinations> {
  const turnedAway = await serverTurnedAway(deps, event)
  const head = await deps.heads.find(event.roomNid)
  if (head === undefined) return { servers: new Set(), isOld: true }
  const servers = new Set([...head.members.servers.keys(), ...leaving])
  if (turnedAway !== undefined) servers.add(turnedAway)
  servers.delete(deps.serverName)
  servers.delete(serverNameOf(event.pdu.sender))
  return { servers, isOld: event.stateNid !== head.state.nid }
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
