/** SQL of filters. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'

export function filterRow(
  db: Reader,
  key: { readonly userNid: number; readonly filterId: string },
): Promise<{ filter: string } | undefined> {
  return db.row(sql`SELECT filter FROM filters WHERE user_nid = ${key.userNid} AND filter_id = ${key.filterId}`)
}

export function insertFilter(row: {
  readonly userNid: number
  readonly filterId: string
  readonly filter: string
}): Statement {
  return statement(
    sql`INSERT INTO filters (user_nid, filter_id, filter) VALUES (${row.userNid}, ${row.filterId}, ${row.filter})
        ON CONFLICT DO NOTHING`,
  )
}

export function countFilters(db: Reader, userNid: number): Promise<{ filters: number } | undefined> {
  return db.row(sql`SELECT COUNT(*) AS filters FROM filters WHERE user_nid = ${userNid}`)
}

export function deleteFiltersOfUser(userNid: number): Statement {
  return statement(sql`DELETE FROM filters WHERE user_nid = ${userNid}`)
}
