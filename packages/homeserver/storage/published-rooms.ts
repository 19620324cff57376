/** SQL of the public room directory: which rooms are in it. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'

export function publishedRooms(db: Reader): Promise<readonly number[]> {
  return db.column(sql`SELECT room_nid FROM published_rooms ORDER BY room_nid`)
}

export function publishedRoom(db: Reader, roomNid: number): Promise<{ room_nid: number } | undefined> {
  return db.row(sql`SELECT room_nid FROM published_rooms WHERE room_nid = ${roomNid}`)
}

export function insertPublishedRoom(roomNid: number): Statement {
  return statement(sql`INSERT INTO published_rooms (room_nid) VALUES (${roomNid}) ON CONFLICT DO NOTHING`)
}

export function deletePublishedRoom(roomNid: number): Statement {
  return statement(sql`DELETE FROM published_rooms WHERE room_nid = ${roomNid}`)
}
