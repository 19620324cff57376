/** Point reads on the calling thread, each on the newest committed snapshot. */
import { DatabaseError, DatabaseUnavailable, type Reader, type Row } from '../database.ts'
import { prepareRead } from '../prepared.ts'
import type { Sql } from '../sql.ts'
import { allRows, firstRow, type SqliteConnection, type SqliteStatement } from './connection.ts'
import { decodeRows, decodeValue, sqliteEncoding, type SqliteValue } from './encoding.ts'
import { engineFault, messageOf } from './faults.ts'

export function sqliteReader(connection: SqliteConnection): Reader {
  const read = <T>(query: Sql, take: Take<T>): T => {
    try {
      const { id, text, values } = prepareRead(sqliteEncoding, query)
      return take(connection.prepare(id, text), values)
    } catch (cause) {
      throw readError(cause)
    }
  }
  return {
    all: async <T extends Row>(query: Sql) => read(query, takeAll) as T[],
    row: async <T extends Row>(query: Sql) => read(query, takeFirst) as T | undefined,
    column: async <T>(query: Sql) => read(query, takeColumn) as T[],
  }
}

type Take<T> = (statement: SqliteStatement, values: readonly SqliteValue[]) => T

const takeAll: Take<Row[]> = (statement, values) => decodeRows(statement.columns, allRows(statement, values))

const takeFirst: Take<Row | undefined> = (statement, values) => {
  const row = firstRow(statement, values)
  return row === undefined ? undefined : decodeRows(statement.columns, [row])[0]
}

const takeColumn: Take<unknown[]> = (statement, values) =>
  allRows(statement, values).map((row) => decodeValue(row[0] ?? null))

export function readError(cause: unknown): Error {
  const fault = engineFault(cause)
  if (fault !== undefined) return new DatabaseUnavailable(fault, { cause })
  return new DatabaseError(messageOf(cause), { cause })
}
