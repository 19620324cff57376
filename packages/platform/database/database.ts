/** The storage contract (docs/ARCHITECTURE.md 4): reads on snapshots, writes as data, one durable transaction per commit. */
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

/** Whether the expectation is met. */
export function isMet(expectation: Expectation | undefined, result: StatementResult): boolean {
  if (expectation === undefined) return true
  if ('changes' in expectation) return result.changes === expectation.changes
  if ('rows' in expectation) return result.rows.length === expectation.rows
  return result.rows.length >= expectation.atLeastRows
}

/** Thrown by `commit` and reads when the engine cannot work now (disk full, connection lost). Nothing was applied. */
export class DatabaseUnavailable extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DatabaseUnavailable'
  }
}

/**
 * Thrown by `commit` when the connection was lost while the engine committed and nobody could be asked for the outcome
 * in time: the list was applied as a whole or not at all.
 */
export class CommitOutcomeUnknown extends DatabaseUnavailable {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'CommitOutcomeUnknown'
  }
}

/** Thrown when the engine refuses a statement: nothing of its list was applied. Unless a constraint, a mistake in the code. */
export class DatabaseError extends Error {
  /** The statement's place in its list; undefined for a read. */
  readonly index: number | undefined
  constructor(message: string, options: { index?: number | undefined; cause?: unknown } = {}) {
    super(message, { cause: options.cause })
    this.name = 'DatabaseError'
    this.index = options.index
  }
}

export type Constraint = 'unique' | 'foreign-key' | 'not-null' | 'check'

/** Thrown by `commit` when a row broke a constraint. */
export class ConstraintFailed extends DatabaseError {
  readonly constraint: Constraint
  constructor(constraint: Constraint, message: string, options: { index?: number | undefined; cause?: unknown } = {}) {
    super(message, options)
    this.name = 'ConstraintFailed'
    this.constraint = constraint
  }
}

/** Thrown at open when another process (or another handle in this one) works on the same database. */
export class DatabaseLocked extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'DatabaseLocked'
  }
}

/** Thrown at open when the schema in the database does not fit the program's migrations. */
export class SchemaMismatch extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options)
    this.name = 'SchemaMismatch'
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
  /** Resolves when every commit called before is applied or refused, closes what is open; later calls are refused. */
  [Symbol.asyncDispose](): Promise<void>
}

/** What the engine tells of its work, for metrics; each is optional and must not throw. */
export type DatabaseObserver = {
  /** After each durable transaction. `queued` lists were waiting when it ended. */
  committed?(group: { lists: number; statements: number; ms: number; queued: number }): void
  /** A group failed as a whole: the engine could not work. */
  unavailable?(problem: { lists: number; message: string }): void
  /** SQLite: a checkpoint ended; `walBytes` of log were there, and `paused` tells whether commits waited for it. */
  checkpointed?(checkpoint: { ms: number; walBytes: number; paused: boolean }): void
  checkpointFailed?(problem: { message: string }): void
  /** PostgreSQL: the writer's connection was lost or is back. */
  connection?(state: 'lost' | 'restored'): void
}
