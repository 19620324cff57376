/** SQL of what goes out to other servers: how far each has been told, and EDUs that wait for it. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { position, sql } from '@holdfast/platform/database/sql'
import type { OutgoingEventRow } from './federation-rooms.ts'
import { MEMBERSHIP_CODES } from './memberships.ts'

export type OutboxProgressRow = { settled: number; device_lists: number }

export function outboxProgress(db: Reader): Promise<OutboxProgressRow | undefined> {
  return db.row(sql`SELECT settled, device_lists FROM outbox WHERE id = 1`)
}

export function setSettled(upTo: number): Statement {
  return statement(
    sql`INSERT INTO outbox (id, settled, device_lists) VALUES (1, ${upTo}, 0)
        ON CONFLICT (id) DO UPDATE SET settled = excluded.settled`,
    { changes: 1 },
  )
}

export function setDeviceListsSent(upTo: number): Statement {
  return statement(
    sql`INSERT INTO outbox (id, settled, device_lists) VALUES (1, 0, ${upTo})
        ON CONFLICT (id) DO UPDATE SET device_lists = excluded.device_lists`,
    { changes: 1 },
  )
}

export type BehindRow = { server_name: string; position: number }

export function serversBehind(db: Reader): Promise<readonly BehindRow[]> {
  return db.all(sql`SELECT server_name, position FROM outbox_behind ORDER BY server_name`)
}

export function setBehind(row: { readonly serverName: string; readonly position: number }): Statement {
  return statement(
    sql`INSERT INTO outbox_behind (server_name, position) VALUES (${row.serverName}, ${row.position})
        ON CONFLICT (server_name) DO UPDATE SET position = excluded.position`,
    { changes: 1 },
  )
}

export function deleteBehind(serverName: string): Statement {
  return statement(sql`DELETE FROM outbox_behind WHERE server_name = ${serverName}`)
}

export type OwedRange = { readonly serverName: string; readonly after: number; readonly upTo: number }

/** Events of the rooms that a server is in now. */
export function owedEvents(
  db: Reader,
  { serverName, after, upTo, limit }: OwedRange & { readonly limit: number },
): Promise<readonly OutgoingEventRow[]> {
  return db.all(
    sql`SELECT o.position, o.room_nid, o.event_nid, o.departed FROM outgoing_events o
          JOIN room_servers s ON s.room_nid = o.room_nid AND s.server_name = ${serverName}
        WHERE o.position > ${after} AND o.position <= ${upTo} ORDER BY o.position LIMIT ${limit}`,
  )
}

/** The newest event of each room that a server is in now, those that came first before the others. */
export function newestOwedEvents(
  db: Reader,
  { serverName, after, upTo, limit }: OwedRange & { readonly limit: number },
): Promise<readonly OutgoingEventRow[]> {
  return db.all(
    sql`SELECT o.position, o.room_nid, o.event_nid, o.departed FROM room_servers s
          JOIN outgoing_events o ON o.room_nid = s.room_nid
        WHERE s.server_name = ${serverName} AND o.position > ${after} AND o.position <= ${upTo}
          AND NOT EXISTS (SELECT 1 FROM outgoing_events n
            WHERE n.room_nid = o.room_nid AND n.position > o.position AND n.position <= ${upTo})
        ORDER BY o.position LIMIT ${limit}`,
  )
}

/** Events that took servers out of rooms. */
export function departures(
  db: Reader,
  { after, upTo, limit }: { readonly after: number; readonly upTo: number; readonly limit: number },
): Promise<readonly OutgoingEventRow[]> {
  return db.all(
    sql`SELECT position, room_nid, event_nid, departed FROM outgoing_events
        WHERE position > ${after} AND position <= ${upTo} AND departed IS NOT NULL ORDER BY position LIMIT ${limit}`,
  )
}

/** The newest ones, in their order. */
export async function outgoingEventsOfRoom(
  db: Reader,
  query: { readonly roomNid: number; readonly after: number; readonly below: number; readonly limit: number },
): Promise<readonly OutgoingEventRow[]> {
  const newest = await db.all<OutgoingEventRow>(
    sql`SELECT position, room_nid, event_nid, departed FROM outgoing_events
        WHERE room_nid = ${query.roomNid} AND position > ${query.after} AND position < ${query.below}
        ORDER BY position DESC LIMIT ${query.limit}`,
  )
  return newest.toReversed()
}

/** The event of ours at this position, while some server has not heard of it. */
export function outgoingEventAt(db: Reader, eventPosition: number): Promise<OutgoingEventRow | undefined> {
  return db.row(
    sql`SELECT position, room_nid, event_nid, departed FROM outgoing_events WHERE position = ${eventPosition}`,
  )
}

/** Of a room only what is from `below` on is kept, and the events that took servers out of it. */
export function deleteOlderInRoom(row: { readonly roomNid: number; readonly below: number }): Statement {
  return statement(
    sql`DELETE FROM outgoing_events
        WHERE room_nid = ${row.roomNid} AND position < ${row.below} AND departed IS NULL`,
  )
}

/** Nobody who left with this event has to hear of it any more. */
export function clearDeparted(eventPosition: number): Statement {
  return statement(sql`UPDATE outgoing_events SET departed = NULL WHERE position = ${eventPosition}`)
}

/** The other servers that share a room with a user. */
export function serversOfUser(db: Reader, userNid: number): Promise<readonly string[]> {
  return db.column<string>(
    sql`SELECT DISTINCT s.server_name FROM memberships m JOIN room_servers s ON s.room_nid = m.room_nid
        WHERE m.user_nid = ${userNid} AND m.membership = ${MEMBERSHIP_CODES.join} ORDER BY s.server_name`,
  )
}

/** Servers in a room that share no other one with the user, of those that the user came into earlier. */
export function serversMet(
  db: Reader,
  join: { readonly roomNid: number; readonly userNid: number; readonly position: number },
): Promise<readonly string[]> {
  return db.column<string>(
    sql`SELECT server_name FROM room_servers WHERE room_nid = ${join.roomNid} AND server_name NOT IN
          (SELECT s.server_name FROM memberships m JOIN room_servers s ON s.room_nid = m.room_nid
            WHERE m.user_nid = ${join.userNid} AND m.membership = ${MEMBERSHIP_CODES.join}
              AND m.room_nid <> ${join.roomNid} AND m.position < ${join.position})
        ORDER BY server_name`,
  )
}

/**
 * An EDU that must reach a server; commit it with its cause, and afterwards call `outgoing.wake([destination])`.
 * Two for the same server in one commit take different offsets.
 */
export function insertOutgoingEdu(row: {
  readonly positionOffset: number
  readonly destination: string
  /** When too many wait, only the newest one with a key is kept; leave it out where each counts. */
  readonly key?: string
  /** The whole EDU in JSON, with `edu_type` and `content`. */
  readonly edu: string
}): Statement {
  return statement(
    sql`INSERT INTO outgoing_edus (server_name, position, edu_key, edu)
        VALUES (${row.destination}, ${position(row.positionOffset)}, ${row.key ?? null}, ${row.edu})`,
    { changes: 1 },
  )
}

export type OutgoingEduRow = { position: number; edu: string }

/** In their order. */
export function outgoingEdus(
  db: Reader,
  query: { readonly serverName: string; readonly after: number; readonly limit: number },
): Promise<readonly OutgoingEduRow[]> {
  return db.all(
    sql`SELECT position, edu FROM outgoing_edus
        WHERE server_name = ${query.serverName} AND position > ${query.after} ORDER BY position LIMIT ${query.limit}`,
  )
}

export function serversWithEdus(db: Reader): Promise<readonly string[]> {
  return db.column<string>(sql`SELECT DISTINCT server_name FROM outgoing_edus ORDER BY server_name`)
}

export function countOutgoingEdus(db: Reader, serverName: string): Promise<readonly number[]> {
  return db.column(sql`SELECT COUNT(*) FROM outgoing_edus WHERE server_name = ${serverName} ORDER BY 1`)
}

/** The server has them. */
export function deleteOutgoingEdus(row: { readonly serverName: string; readonly upTo: number }): Statement {
  return statement(sql`DELETE FROM outgoing_edus WHERE server_name = ${row.serverName} AND position <= ${row.upTo}`)
}

/** Of those with the same key only the newest stays. */
export function deleteSupersededEdus(serverName: string): Statement {
  return statement(
    sql`DELETE FROM outgoing_edus WHERE server_name = ${serverName} AND edu_key IS NOT NULL
          AND position < (SELECT MAX(n.position) FROM outgoing_edus n
            WHERE n.server_name = outgoing_edus.server_name AND n.edu_key = outgoing_edus.edu_key)`,
  )
}

/** Only the newest stay. */
export function deleteOldestEdus(row: { readonly serverName: string; readonly kept: number }): Statement {
  return statement(
    sql`DELETE FROM outgoing_edus WHERE server_name = ${row.serverName} AND position <=
        (SELECT position FROM outgoing_edus WHERE server_name = ${row.serverName}
          ORDER BY position DESC LIMIT 1 OFFSET ${row.kept})`,
  )
}
