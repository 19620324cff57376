/** SQL of room aliases. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'

export type AliasRow = { alias: string; room_nid: number; creator_nid: number }

export function aliasRow(db: Reader, alias: string): Promise<AliasRow | undefined> {
  return db.row<AliasRow>(sql`SELECT alias, room_nid, creator_nid FROM room_aliases WHERE alias = ${alias}`)
}

export function aliasesOfRoom(db: Reader, roomNid: number): Promise<readonly string[]> {
  return db.column<string>(sql`SELECT alias FROM room_aliases WHERE room_nid = ${roomNid} ORDER BY alias`)
}

/** Breaks its expectation if the alias is taken. */
export function insertAlias(alias: {
  readonly alias: string
  readonly roomNid: number
  readonly creatorNid: number
}): Statement {
  return statement(
    sql`INSERT INTO room_aliases (alias, room_nid, creator_nid)
        VALUES (${alias.alias}, ${alias.roomNid}, ${alias.creatorNid}) ON CONFLICT DO NOTHING`,
    { changes: 1 },
  )
}

/** All aliases of a room lead to another one from now on. */
export function moveAliases(rooms: { readonly from: number; readonly to: number }): Statement {
  return statement(sql`UPDATE room_aliases SET room_nid = ${rooms.to} WHERE room_nid = ${rooms.from}`)
}

/** Breaks its expectation if the alias is gone or points to another room. */
export function deleteAlias(alias: { readonly alias: string; readonly roomNid: number }): Statement {
  return statement(sql`DELETE FROM room_aliases WHERE alias = ${alias.alias} AND room_nid = ${alias.roomNid}`, {
    changes: 1,
  })
}
