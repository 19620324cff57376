/** SQL of rooms: their heads, aliases and publication. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { position, sql } from '@holdfast/platform/database/sql'

export type RoomRow = {
  room_nid: number
  room_id: string
  version: string
  state_nid: number
  extremities: Uint8Array
  depth: number
  last_position: number
}

export function roomByNid(db: Reader, roomNid: number): Promise<RoomRow | undefined> {
  return db.row<RoomRow>(
    sql`SELECT room_nid, room_id, version, state_nid, extremities, depth, last_position
        FROM rooms WHERE room_nid = ${roomNid}`,
  )
}

export function roomNidById(db: Reader, roomId: string): Promise<{ room_nid: number } | undefined> {
  return db.row(sql`SELECT room_nid FROM rooms WHERE room_id = ${roomId}`)
}

export type RoomHeadValues = {
  readonly roomNid: number
  readonly stateNid: number
  readonly extremities: Uint8Array
  readonly depth: number
  readonly lastPositionOffset: number
}

export function insertRoom(room: RoomHeadValues & { readonly roomId: string; readonly version: string }): Statement {
  return statement(
    sql`INSERT INTO rooms (room_nid, room_id, version, state_nid, extremities, depth, last_position)
        VALUES (${room.roomNid}, ${room.roomId}, ${room.version}, ${room.stateNid}, ${room.extremities}, ${room.depth},
          ${position(room.lastPositionOffset)})`,
    { changes: 1 },
  )
}

export function setRoomVersion(room: { readonly roomNid: number; readonly version: string }): Statement {
  return statement(sql`UPDATE rooms SET version = ${room.version} WHERE room_nid = ${room.roomNid}`, { changes: 1 })
}

/** Moves the head. Fails if the room is no longer at `from`: then somebody else has written to it. */
export function moveRoomHead(room: RoomHeadValues & { readonly fromPosition: number }): Statement {
  return statement(
    sql`UPDATE rooms SET state_nid = ${room.stateNid}, extremities = ${room.extremities}, depth = ${room.depth},
          last_position = ${position(room.lastPositionOffset)}
        WHERE room_nid = ${room.roomNid} AND last_position = ${room.fromPosition}`,
    { changes: 1 },
  )
}
