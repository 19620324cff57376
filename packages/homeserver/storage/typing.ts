/** SQL of the rooms in which somebody types: only what a restart must not forget. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { bool, integerList, position, sql } from '@holdfast/platform/database/sql'

/** The list of those who type in the room changes at the position of offset 0. */
export function setTypingRoom(change: { readonly roomNid: number; readonly isActive: boolean }): Statement {
  return statement(
    sql`INSERT INTO typing_rooms (room_nid, is_active, position)
        VALUES (${change.roomNid}, ${bool(change.isActive)}, ${position()})
        ON CONFLICT (room_nid) DO UPDATE SET is_active = excluded.is_active, position = excluded.position`,
    { changes: 1 },
  )
}

/** The position at which the list changed last. */
export function typingRoomPosition(db: Reader, roomNid: number): Promise<{ position: number } | undefined> {
  return db.row(sql`SELECT position FROM typing_rooms WHERE room_nid = ${roomNid}`)
}

export function activeTypingRooms(db: Reader): Promise<readonly number[]> {
  return db.column(sql`SELECT room_nid FROM typing_rooms WHERE is_active = 1 ORDER BY room_nid`)
}

/** Nobody types in these rooms, from the position of offset 0 on. */
export function endTypingRooms(roomNids: readonly number[]): Statement {
  return statement(
    sql`UPDATE typing_rooms SET is_active = 0, position = ${position()} WHERE room_nid IN ${integerList(roomNids)}`,
  )
}
