/** SQL of rooms whose state is not all here yet. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { position, sql } from '@holdfast/platform/database/sql'
import { EVENT_FLAGS } from './events.ts'

export type IncompleteRoomRow = { room_nid: number; join_nid: number; via: string; began_ms: number }

export function incompleteRooms(db: Reader): Promise<readonly IncompleteRoomRow[]> {
  return db.all(sql`SELECT room_nid, join_nid, via, began_ms FROM incomplete_rooms ORDER BY room_nid`)
}

export function incompleteRoom(db: Reader, roomNid: number): Promise<IncompleteRoomRow | undefined> {
  return db.row(sql`SELECT room_nid, join_nid, via, began_ms FROM incomplete_rooms WHERE room_nid = ${roomNid}`)
}

export function insertIncompleteRoom(room: {
  readonly roomNid: number
  readonly joinNid: number
  readonly via: string
  readonly beganMs: number
}): Statement {
  return statement(
    sql`INSERT INTO incomplete_rooms (room_nid, join_nid, via, began_ms)
        VALUES (${room.roomNid}, ${room.joinNid}, ${room.via}, ${room.beganMs})`,
    { changes: 1 },
  )
}

export function deleteIncompleteRoom(roomNid: number): Statement {
  return statement(sql`DELETE FROM incomplete_rooms WHERE room_nid = ${roomNid}`, { changes: 1 })
}

export function filledRooms(db: Reader): Promise<readonly { room_nid: number; position: number }[]> {
  return db.all(sql`SELECT room_nid, position FROM filled_rooms ORDER BY room_nid`)
}

/** At the first position of the commit. */
export function setFilledRoom(roomNid: number): Statement {
  return statement(
    sql`INSERT INTO filled_rooms (room_nid, position) VALUES (${roomNid}, ${position()})
        ON CONFLICT (room_nid) DO UPDATE SET position = excluded.position`,
    { changes: 1 },
  )
}

/** Whatever the snapshot was stored against stays. */
export function replaceSnapshot(snapshot: { readonly stateNid: number; readonly delta: Uint8Array }): Statement {
  return statement(
    sql`UPDATE state_snapshots SET delta = ${snapshot.delta} WHERE state_nid = ${snapshot.stateNid} AND anchor_nid IS NULL`,
    { changes: 1 },
  )
}

/** The snapshots of a room that are stored whole, from one on. */
export function wholeSnapshots(
  db: Reader,
  from: { readonly roomNid: number; readonly stateNid: number },
): Promise<readonly { state_nid: number }[]> {
  return db.all(
    sql`SELECT state_nid FROM state_snapshots
        WHERE room_nid = ${from.roomNid} AND state_nid >= ${from.stateNid} AND anchor_nid IS NULL ORDER BY state_nid`,
  )
}

type Since = { readonly roomNid: number; readonly position: number }

/** The events of a room's timeline from a position on. */
export function eventsSince(db: Reader, { roomNid, position: from }: Since): Promise<readonly { event_nid: number }[]> {
  return db.all(
    sql`SELECT event_nid FROM events WHERE room_nid = ${roomNid} AND position >= ${from} ORDER BY event_nid`,
  )
}

/** What is stored as the state after them is only a part of it, and will not become whole. */
export function markPartlyKnown({ roomNid, position: from }: Since): Statement {
  return statement(
    sql`UPDATE events SET flags = flags | ${EVENT_FLAGS.partlyKnown} WHERE room_nid = ${roomNid} AND position >= ${from}`,
  )
}

/** Servers that another one named as being in the room: they have a row with no members. */
export function insertNamedServer(row: { readonly roomNid: number; readonly serverName: string }): Statement {
  return statement(
    sql`INSERT INTO room_servers (room_nid, server_name, joined) VALUES (${row.roomNid}, ${row.serverName}, 0)
        ON CONFLICT (room_nid, server_name) DO NOTHING`,
  )
}

export function deleteNamedServers(roomNid: number): Statement {
  return statement(sql`DELETE FROM room_servers WHERE room_nid = ${roomNid} AND joined = 0`)
}
