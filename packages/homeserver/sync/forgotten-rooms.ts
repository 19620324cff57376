/**
 * Rooms that the user left and forgot. A sync shows nothing of them, but that they were left: the other devices of the user
 * would stay in them for ever.
 */
import { forgottenMemberships } from '../storage/forgotten-memberships.ts'
import { membershipOfCode } from '../storage/memberships.ts'
import { changedRooms, type ChangedRoom } from './changed-rooms.ts'
import type { SyncContext } from './sync-context.ts'

/** Those that the client has, by its token, as rooms the user is in or is invited to. */
export async function forgottenRooms(context: SyncContext): Promise<readonly ChangedRoom[]> {
  const { deps, requester, since, upTo } = context
  const { userNid } = requester
  if (since === undefined) return []
  if (since >= deps.streams.startPosition && deps.streams.userPosition(userNid) <= since) return []
  const rows = await forgottenMemberships(deps.db, { userNid, after: since, upTo })
  const memberships = rows.map(({ room_nid: roomNid, event_nid: eventNid, position, membership }) => {
    return [roomNid, { roomNid, eventNid, position, membership: membershipOfCode(membership) }] as const
  })
  const rooms = await changedRooms(context, new Map(memberships))
  return rooms.filter((room) => room.since !== undefined || room.wasAsked)
}
