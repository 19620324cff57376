/** Servers that can help others into a room. */
import type { RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../homeserver.ts'
import { isResident } from './room-heads.ts'

/** Whoever tries more than these has other troubles, and the list is part of answers that many ask for. */
const SERVERS_MAX = 100

/** This server first if it is in the room, then those with the most members. */
export async function residentServers(
  deps: Pick<Homeserver, 'heads' | 'serverName'>,
  roomId: RoomId,
): Promise<readonly ServerName[]> {
  const head = await deps.heads.byId(roomId)
  if (head === undefined) return []
  const others = [...head.members.servers].sort(([a, most], [b, least]) => least - most || (a < b ? -1 : 1))
  const own = isResident(head) ? [deps.serverName] : []
  return [...own, ...others.map(([server]) => server)].slice(0, SERVERS_MAX)
}
