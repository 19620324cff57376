/** The storage contract (DESIGN 4): reads on snapshots, writes as data, one durable transaction per commit. */
import type { Sql } from './sql.ts'

/** A row by column name. Integers arrive as numbers, bytes as Uint8Array. */
export type Row = Record<string, number | string | Uint8Array | null>

/** What a statement must do, or the whole list it stands in is undone. */
export type Expectation = { readonly changes: number } | { readonly rows: number } | { readonly atLeastRows: number }

/** One write, as data. It does nothing until it is given to `commit`. */
export type Statement = { readonly sql: Sql; readonly expect: Expectation | undefined }

export function statement(sql: Sql, expect?: Expectation): Statement {
  return { sql, expect }
}

/** What one statement did: rows changed, and the rows of its RETURNING clause. */
export type StatementResult = { readonly changes: number; readonly rows: readonly Row[] }

/** A committed list. `firstPosition` is the position of offset 0; undefined when the list asked for none. */
export type Committed = { readonly firstPosition: number | undefined; readonly results: readonly StatementResult[] }

/** Thrown by `commit` when a statement broke its expectation; nothing of its list was applied. */
export class ExpectationFailed extends Error {
  readonly index: number
  readonly result: StatementResult
  constructor(index: number, result: StatementResult) {
    super(
      `statement ${index} changed ${result.changes} rows and returned ${result.rows.length}, against its expectation`,
    )
    this.name = 'ExpectationFailed'
    this.index = index
    this.result = result
  }
}

/** Thrown by `commit` and reads when the engine cannot work now (disk full, connection lost). Nothing was applied. */
export class DatabaseUnavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DatabaseUnavailable'
  }
}

/** Reads on the newest committed snapshot. */
export type Reader = {
  all<T extends Row = Row>(query: Sql): Promise<readonly T[]>
  /** The first row, or undefined. */
  row<T extends Row = Row>(query: Sql): Promise<T | undefined>
  /** The first column of each row. */
  column<T extends number | string | Uint8Array | null = number>(query: Sql): Promise<readonly T[]>
}

export type Database = Reader & {
  readonly engine: 'sqlite' | 'postgres'
  /** Reads that may take longer than about a millisecond: on a reader thread (SQLite), so the event loop goes on. */
  readonly heavy: Reader
  /**
   * Applies the list in one durable transaction, in order, or none of it. Lists that wait together share one fsync;
   * they are applied in the order of the calls. Resolves after the data is on disk.
   * @param positions how many stream positions the list takes (its `position()` offsets are below it)
   * @throws {ExpectationFailed} a statement broke its expectation
   * @throws {DatabaseUnavailable} the engine could not commit
   */
  commit(statements: readonly Statement[], options?: { readonly positions?: number }): Promise<Committed>
  /** The newest position whose commit is visible to readers. Never ahead of the data. */
  lastPosition(): number
  [Symbol.asyncDispose](): Promise<void>
}
