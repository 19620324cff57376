/** Point reads on the calling thread, each on the newest committed snapshot. */
import { DatabaseError, DatabaseUnavailable, type Reader, type Row } from '../database.ts'
import { encodeParameters } from '../prepared.ts'
import type { Sql } from '../sql.ts'
import { allRows, type SqliteConnection, type SqliteStatement } from './connection.ts'
import { decodeRows, decodeValue, sqliteEncoding, type SqliteRow } from './encoding.ts'
import { engineFault, messageOf } from './faults.ts'

export function sqliteReader(connection: SqliteConnection): Reader {
  const read = (query: Sql): { statement: SqliteStatement; rows: readonly SqliteRow[] } => {
    try {
      const { id, text } = sqliteEncoding.render(query)
      const statement = connection.prepare(id, text)
      return { statement, rows: allRows(statement, encodeParameters(sqliteEncoding, query)) }
    } catch (cause) {
      throw readError(cause)
    }
  }
  return {
    all: async <T extends Row>(query: Sql) => {
      const { statement, rows } = read(query)
      return decodeRows(statement.columns, rows) as T[]
    },
    row: async <T extends Row>(query: Sql) => {
      const { statement, rows } = read(query)
      return decodeRows(statement.columns, rows.slice(0, 1))[0] as T | undefined
    },
    column: async <T>(query: Sql) => read(query).rows.map((row) => decodeValue(row[0] ?? null) as T),
  }
}

export function readError(cause: unknown): Error {
  const fault = engineFault(cause)
  if (fault !== undefined) return new DatabaseUnavailable(fault, { cause })
  return new DatabaseError(messageOf(cause), { cause })
}
