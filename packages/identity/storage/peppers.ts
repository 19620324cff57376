/** SQL of peppers, and of the hashes of all addresses under each of them. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { bool, sql, textList } from '@holdfast/platform/database/sql'
import type { Threepid } from './associations.ts'

export type PepperRow = {
  pepper_nid: number
  pepper: string
  created_ms: number
  is_complete: number
  replaced_ms: number | null
}

/** The oldest first. */
export function peppers(db: Reader): Promise<readonly PepperRow[]> {
  return db.all<PepperRow>(
    sql`SELECT pepper_nid, pepper, created_ms, is_complete, replaced_ms FROM peppers ORDER BY pepper_nid`,
  )
}

export function insertPepper(pepper: {
  readonly nid: number
  readonly pepper: string
  readonly createdMs: number
  readonly isComplete: boolean
}): Statement {
  return statement(
    sql`INSERT INTO peppers (pepper_nid, pepper, created_ms, is_complete, replaced_ms)
        VALUES (${pepper.nid}, ${pepper.pepper}, ${pepper.createdMs}, ${bool(pepper.isComplete)}, NULL)`,
    { changes: 1 },
  )
}

export function completePepper(nid: number): Statement {
  return statement(sql`UPDATE peppers SET is_complete = 1 WHERE pepper_nid = ${nid}`, { changes: 1 })
}

export function replacePepper(nid: number, replacedMs: number): Statement {
  return statement(sql`UPDATE peppers SET replaced_ms = ${replacedMs} WHERE pepper_nid = ${nid}`, { changes: 1 })
}

export function deletePepper(nid: number): Statement {
  return statement(sql`DELETE FROM peppers WHERE pepper_nid = ${nid}`)
}

export function insertHash(hash: Threepid & { readonly pepperNid: number; readonly hash: string }): Statement {
  return statement(
    sql`INSERT INTO lookup_hashes (pepper_nid, hash, medium, address)
        VALUES (${hash.pepperNid}, ${hash.hash}, ${hash.medium}, ${hash.address})
        ON CONFLICT DO NOTHING`,
  )
}

export function deleteHashesOf({ medium, address }: Threepid): Statement {
  return statement(sql`DELETE FROM lookup_hashes WHERE medium = ${medium} AND address = ${address}`)
}

/** Some of the hashes of a pepper; it changes no row once there are none left. */
export function deleteHashesOfPepper(nid: number, limit: number): Statement {
  return statement(
    sql`DELETE FROM lookup_hashes WHERE pepper_nid = ${nid} AND hash IN
        (SELECT hash FROM lookup_hashes WHERE pepper_nid = ${nid} ORDER BY hash LIMIT ${limit})`,
  )
}

export function usersByHash(
  db: Reader,
  { pepperNid, hashes }: { readonly pepperNid: number; readonly hashes: readonly string[] },
  nowMs: number,
): Promise<readonly { hash: string; user_id: string }[]> {
  return db.all(
    sql`SELECT h.hash, a.user_id FROM lookup_hashes h
        JOIN associations a ON a.medium = h.medium AND a.address = h.address AND a.not_after_ms > ${nowMs}
        WHERE h.pepper_nid = ${pepperNid} AND h.hash IN ${textList(hashes)}
        ORDER BY h.hash`,
  )
}
