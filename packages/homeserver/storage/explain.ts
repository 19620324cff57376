/** SQL of questions that only operators ask. */
import type { Reader } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'
import { HIDDEN_FLAGS, NOWHERE } from './events.ts'

/** The newest state events among the newest events of a room's timeline, newest first. */
export function newestStateEvents(
  db: Reader,
  query: { readonly roomNid: number; readonly among: number; readonly limit: number },
): Promise<readonly number[]> {
  return db.column(
    sql`SELECT event_nid FROM (
          SELECT event_nid, state_key_nid, position FROM events
          WHERE room_nid = ${query.roomNid} AND position > ${NOWHERE} AND flags & ${HIDDEN_FLAGS} = 0
          ORDER BY position DESC LIMIT ${query.among}
        ) AS newest WHERE state_key_nid IS NOT NULL ORDER BY position DESC LIMIT ${query.limit}`,
  )
}

export type RefusedRow = { event_id: string; flags: number; rule: string; message: string }

/** The newest events of a room that were rejected or soft-failed, newest first. */
export function newestRefusals(
  db: Reader,
  query: { readonly roomNid: number; readonly limit: number },
): Promise<readonly RefusedRow[]> {
  return db.all(
    sql`SELECT e.event_id, e.flags, v.rule, v.message FROM event_verdicts v
          JOIN events e ON e.event_nid = v.event_nid
        WHERE e.room_nid = ${query.roomNid} ORDER BY v.event_nid DESC LIMIT ${query.limit}`,
  )
}

/** The ids of rooms. */
export function sharedRooms(
  db: Reader,
  query: { readonly serverName: string; readonly limit: number },
): Promise<readonly { room_id: string; joined: number }[]> {
  return db.all(
    sql`SELECT r.room_id, s.joined FROM room_servers s JOIN rooms r ON r.room_nid = s.room_nid
        WHERE s.server_name = ${query.serverName} ORDER BY r.room_id LIMIT ${query.limit}`,
  )
}

export function countSharedRooms(db: Reader, serverName: string): Promise<readonly number[]> {
  return db.column(sql`SELECT COUNT(*) FROM room_servers WHERE server_name = ${serverName} ORDER BY 1`)
}

/** How far servers that lag behind the others were told; the others were told up to `settled`. */
export function behindPosition(db: Reader, serverName: string): Promise<{ position: number } | undefined> {
  return db.row(sql`SELECT position FROM outbox_behind WHERE server_name = ${serverName}`)
}
