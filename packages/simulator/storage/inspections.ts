/** What checkers ask the disk of a server. */
import type { Reader } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'
import { MEMBERSHIP_CODES } from '@holdfast/homeserver/storage/memberships'

/** Ids of the events with this id, or in whose text this stands. */
export function eventsLike(
  db: Reader,
  event: { readonly roomId: string; readonly eventId: string; readonly body: string },
): Promise<readonly { event_id: string }[]> {
  return db.all(sql`
    SELECT e.event_id FROM events e JOIN rooms r ON r.room_nid = e.room_nid
    WHERE r.room_id = ${event.roomId} AND (e.event_id = ${event.eventId} OR e.json LIKE ${`%"${event.body}"%`})
    ORDER BY e.event_nid`)
}

export function membershipsInRoom(
  db: Reader,
  roomId: string,
): Promise<readonly { user_id: string; membership: number; event_id: string }[]> {
  return db.all(sql`
    SELECT u.user_id, m.membership, e.event_id FROM memberships m JOIN rooms r ON r.room_nid = m.room_nid
    JOIN users u ON u.user_nid = m.user_nid LEFT JOIN events e ON e.event_nid = m.event_nid
    WHERE r.room_id = ${roomId} ORDER BY u.user_id`)
}

export function serversInRoom(db: Reader, roomId: string): Promise<readonly { server_name: string; joined: number }[]> {
  return db.all(sql`
    SELECT s.server_name, s.joined FROM room_servers s JOIN rooms r ON r.room_nid = s.room_nid
    WHERE r.room_id = ${roomId} AND s.joined > 0 ORDER BY s.server_name`)
}

export function eventNidsInRoom(db: Reader, roomNid: number): Promise<readonly number[]> {
  return db.column(sql`SELECT event_nid FROM events WHERE room_nid = ${roomNid} ORDER BY event_nid`)
}

export async function isJoinedTo(
  db: Reader,
  member: { readonly roomId: string; readonly userId: string },
): Promise<boolean> {
  const row = await db.row(sql`
    SELECT 1 FROM memberships m JOIN rooms r ON r.room_nid = m.room_nid JOIN users u ON u.user_nid = m.user_nid
    WHERE r.room_id = ${member.roomId} AND u.user_id = ${member.userId} AND m.membership = ${MEMBERSHIP_CODES.join}`)
  return row !== undefined
}
