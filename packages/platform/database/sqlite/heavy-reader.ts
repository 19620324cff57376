/** Reads on worker threads, so that the event loop goes on while SQLite works. */
import { DatabaseError, DatabaseUnavailable, type Reader, type Row } from '../database.ts'
import { prepareRead } from '../prepared.ts'
import type { Sql } from '../sql.ts'
import { decodeRows, decodeValue, sqliteEncoding, type SqliteRow, type SqliteValue } from './encoding.ts'
import { messageOf } from './faults.ts'
import { readError } from './reader.ts'
import { Thread } from './thread.ts'

export type HeavyRequest = { readonly id: number; readonly text: string; readonly values: readonly SqliteValue[] }
type Rows = { readonly kind: 'rows'; readonly columns: readonly string[]; readonly rows: readonly SqliteRow[] }
export type HeavyAnswer = Rows | { readonly kind: 'unavailable' | 'refused'; readonly message: string }

export type HeavyReader = { readonly reader: Reader; close(): Promise<void> }

/** A thread is started when the ones before it are busy, and the first at the first read. */
export function heavyReader({ path, threads }: { path: string; threads: number }): HeavyReader {
  const file = new URL('./reader-thread.ts', import.meta.url)
  const pool = Array.from({ length: threads }, () => new Thread<HeavyRequest, HeavyAnswer>(file, { path }))
  let closed = false
  const read = async (query: Sql): Promise<Rows> => {
    if (closed) throw new DatabaseUnavailable('the database is closed')
    return rowsOf(await leastBusy(pool).call(prepare(query)).catch(unavailable))
  }
  return {
    reader: {
      all: async <T extends Row>(query: Sql) => decoded(await read(query)) as T[],
      row: async <T extends Row>(query: Sql) => decoded(await read(query))[0] as T | undefined,
      column: async <T>(query: Sql) => (await read(query)).rows.map((row) => decodeValue(row[0] ?? null) as T),
    },
    close: async () => {
      closed = true
      await Promise.all(pool.map((thread) => thread.close()))
    },
  }
}

function prepare(query: Sql): HeavyRequest {
  try {
    return prepareRead(sqliteEncoding, query)
  } catch (cause) {
    throw readError(cause)
  }
}

function leastBusy(pool: readonly Thread<HeavyRequest, HeavyAnswer>[]): Thread<HeavyRequest, HeavyAnswer> {
  return pool.reduce((best, thread) => (thread.pending < best.pending ? thread : best))
}

function decoded({ columns, rows }: Rows): Row[] {
  return decodeRows(columns, rows)
}

function unavailable(error: unknown): HeavyAnswer {
  return { kind: 'unavailable', message: messageOf(error) }
}

function rowsOf(answer: HeavyAnswer): Rows {
  if (answer.kind === 'rows') return answer
  if (answer.kind === 'refused') throw new DatabaseError(answer.message)
  throw new DatabaseUnavailable(answer.message)
}
