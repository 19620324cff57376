/** Values and rows between JavaScript and PostgreSQL. */
import type { CustomTypesConfig } from 'pg'
import type { Row } from '../database.ts'
import { assertInteger, type Encoding } from '../prepared.ts'
import { createRenderer } from '../render.ts'
import type { ListParameter, SqlValue } from '../sql.ts'
import { originalText, storedText } from '../text.ts'

export type PostgresValue = string | Uint8Array | null | readonly string[]

type ColumnValue = Row[string]
export type PostgresRow = readonly ColumnValue[]

const ARRAY_TYPES = { integers: 'bigint[]', texts: 'text[]' }

export const postgresEncoding: Encoding<PostgresValue> = {
  render: createRenderer({
    parameter: (number) => `$${number}`,
    membership: ({ number, kind, negated }) => `${negated ? '<> ALL' : '= ANY'} ($${number}::${ARRAY_TYPES[kind]})`,
  }),
  value: encodeValue,
  list: encodeList,
  position: String,
}

function encodeValue(value: SqlValue): PostgresValue {
  if (typeof value === 'string') return storedText(value)
  if (typeof value === 'number') return encodeNumber(value)
  if (value === null) return null
  if (value instanceof Uint8Array) return new Uint8Array(value)
  throw new TypeError(`not a value that a column can hold: ${typeof value}`)
}

function encodeNumber(value: number): string {
  if (Number.isInteger(value)) assertInteger(value)
  else if (!Number.isFinite(value)) throw new TypeError(`not a number that a column can hold: ${value}`)
  return Object.is(value, -0) ? '0' : String(value)
}

function encodeList(list: ListParameter): readonly string[] {
  if (list.kind === 'texts') return list.values.map((value) => storedText(String(value)))
  return list.values.map((value) => {
    assertInteger(Number(value))
    return String(value)
  })
}

/** By type oid (pg_type.dat). Whatever is not here is text. */
const PARSERS: ReadonlyMap<number, (text: string) => ColumnValue> = new Map<number, (text: string) => ColumnValue>([
  [16, (text) => (text === 't' ? 1 : 0)],
  [17, (text) => Uint8Array.fromHex(text.slice(2))],
  [20, exactNumber],
  [21, exactNumber],
  [23, exactNumber],
  [700, Number],
  [701, Number],
  // What SUM() of a BIGINT makes.
  [1700, exactNumber],
])

function exactNumber(text: string): number {
  const value = Number(text)
  if (Number.isInteger(value)) assertInteger(value)
  return value
}

export const postgresTypes: CustomTypesConfig = {
  getTypeParser: ((oid: number) => PARSERS.get(oid) ?? originalText) as CustomTypesConfig['getTypeParser'],
}

/** Rows as callers see them. */
export function namedRows(columns: readonly string[], rows: readonly PostgresRow[]): Row[] {
  return rows.map((values) => {
    const row: Row = {}
    for (let index = 0; index < columns.length; index += 1) row[columns[index]!] = values[index]!
    return row
  })
}
