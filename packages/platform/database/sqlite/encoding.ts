/** Values and rows between JavaScript and SQLite. */
import type { Row } from '../database.ts'
import { assertInteger, type Encoding } from '../prepared.ts'
import { createRenderer } from '../render.ts'
import type { ListParameter, SqlValue } from '../sql.ts'
import { originalText, storedText } from '../text.ts'

export type SqliteValue = bigint | number | string | Uint8Array | null

/** A row as the driver gives it: the values in the order of the columns. */
export type SqliteRow = readonly SqliteValue[]

export const sqliteEncoding: Encoding<SqliteValue> = {
  render: createRenderer({
    parameter: (number) => `?${number}`,
    membership: ({ number, negated }) => `${negated ? 'NOT ' : ''}IN (SELECT value FROM json_each(?${number}))`,
  }),
  value: encodeValue,
  list: encodeList,
  position: BigInt,
}

function encodeValue(value: SqlValue): SqliteValue {
  if (typeof value === 'string') return storedText(value)
  if (typeof value === 'number') return encodeNumber(value)
  if (value === null) return null
  if (value instanceof Uint8Array) return ownBytes(value)
  throw new TypeError(`not a value that a column can hold: ${typeof value}`)
}

// The driver binds every number as a REAL, which a column without integer affinity would keep.
function encodeNumber(value: number): bigint | number {
  if (Number.isInteger(value)) {
    assertInteger(value)
    return BigInt(value)
  }
  if (!Number.isFinite(value)) throw new TypeError(`not a number that a column can hold: ${value}`)
  return value
}

// A copy: the caller may reuse its buffer before the group is applied, and a worker would be sent the whole pool slab.
function ownBytes(value: Uint8Array): Uint8Array {
  return new Uint8Array(value)
}

function encodeList(list: ListParameter): string {
  if (list.kind === 'texts') return JSON.stringify(list.values.map((value) => storedText(String(value))))
  for (const value of list.values) assertInteger(Number(value))
  return JSON.stringify(list.values)
}

/** Rows as callers see them. One shape per statement, so that they are fast to read. */
export function decodeRows(columns: readonly string[], rows: readonly SqliteRow[]): Row[] {
  return rows.map((values) => {
    const row: Row = {}
    for (let index = 0; index < columns.length; index += 1) row[columns[index]!] = decodeValue(values[index]!)
    return row
  })
}

export function decodeValue(value: SqliteValue): number | string | Uint8Array | null {
  return typeof value === 'string' ? originalText(value) : (value as number | Uint8Array | null)
}
