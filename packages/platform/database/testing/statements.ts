/** Statements on the contract's tables. */
import type { Reader, Statement } from '../database.ts'
import { statement } from '../database.ts'
import { position, sql, type SqlParameter } from '../sql.ts'

export type Entry = {
  readonly id: number
  readonly name: string | null
  readonly amount: number | null
  readonly data: Uint8Array | null
  readonly position: number | null
  readonly kind: number
}

type EntryFields = { [key in keyof Entry]?: SqlParameter }

export function insertEntry(id: number, fields: EntryFields = {}): Statement {
  const { name = null, amount = null, data = null, position = null, kind = 0 } = fields
  return statement(
    sql`INSERT INTO entries (id, name, amount, data, position, kind)
        VALUES (${id}, ${name}, ${amount}, ${data}, ${position}, ${kind})`,
    { changes: 1 },
  )
}

/** An entry at the n-th position of its list. */
export function insertAtPosition(id: number, offset = 0): Statement {
  return insertEntry(id, { position: position(offset) })
}

/** Fails its expectation unless the entry has `from`. */
export function moveAmount(id: number, { from, to }: { from: number; to: number }): Statement {
  return statement(sql`UPDATE entries SET amount = ${to} WHERE id = ${id} AND amount = ${from}`, { changes: 1 })
}

export function countEntries(reader: Reader): Promise<number> {
  return reader.column(sql`SELECT COUNT(*) FROM entries`).then(([count]) => count ?? 0)
}

export function entryIds(reader: Reader): Promise<readonly number[]> {
  return reader.column(sql`SELECT id FROM entries ORDER BY id`)
}

export function entry(reader: Reader, id: number): Promise<Entry | undefined> {
  return reader.row<Entry>(sql`SELECT id, name, amount, data, position, kind FROM entries WHERE id = ${id}`)
}
