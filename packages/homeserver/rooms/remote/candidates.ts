/** Which servers may know a room, best first. */
import type { RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import { parseServerName } from '@holdfast/protocol/ids/server-name'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import type { Homeserver } from '../../homeserver.ts'
import { strippedStateOf } from '../../storage/federation-rooms.ts'
import type { RoomHead } from '../room-heads.ts'

/** Tried for one request of a user. */
const CANDIDATES_MAX = 12

export async function candidateServers(
  deps: Pick<Homeserver, 'db' | 'serverName' | 'memberships' | 'events'>,
  room: {
    readonly roomId: RoomId
    readonly head: RoomHead | undefined
    /** Named by the client, or by the server of the alias. */
    readonly named: readonly ServerName[]
    readonly userNid: number
  },
): Promise<readonly ServerName[]> {
  const { roomId, head, named, userNid } = room
  const inviter = head === undefined ? undefined : await serverOfInviter(deps, head, userNid)
  const members = [...(head?.members.servers ?? [])].sort(([, a], [, b]) => b - a).map(([server]) => server)
  const all = [
    ...named,
    ...(inviter === undefined ? [] : [inviter]),
    ...members,
    ...(named.length > 0 ? [] : serverInRoomId(roomId)),
    ...(head === undefined ? [] : await serversInStripped(deps, { roomNid: head.roomNid, userNid })),
  ]
  return [...new Set(all)].filter((server) => server !== deps.serverName).slice(0, CANDIDATES_MAX)
}

/**
 * A guess, for want of anything better: room IDs are not for routing, and who names servers gets the answer of those.
 * <https://spec.matrix.org/v1.19/appendices/#routing>
 */
function serverInRoomId(roomId: RoomId): readonly ServerName[] {
  const colon = roomId.indexOf(':')
  const server = colon === -1 ? undefined : parseServerName(roomId.slice(colon + 1))
  return server === undefined ? [] : [server]
}

async function serverOfInviter(
  deps: Pick<Homeserver, 'memberships' | 'events'>,
  head: RoomHead,
  userNid: number,
): Promise<ServerName | undefined> {
  const membership = (await deps.memberships.of(userNid)).get(head.roomNid)
  const event = membership === undefined ? undefined : await deps.events.byNid(membership.eventNid)
  return event === undefined ? undefined : serverNameOf(event.pdu.sender)
}

/** Of those who made what the user was told of the room: all that is known of one whose id names no server. */
async function serversInStripped(
  { db }: Pick<Homeserver, 'db'>,
  of: { readonly roomNid: number; readonly userNid: number },
): Promise<readonly ServerName[]> {
  const row = await strippedStateOf(db, of)
  const events = row === undefined ? [] : (JSON.parse(row.stripped) as readonly { readonly sender: string }[])
  return events.flatMap(({ sender }) => {
    const userId = parseUserId(sender)
    return userId === undefined ? [] : [serverNameOf(userId)]
  })
}
