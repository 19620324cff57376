/** One SQLite connection with its prepared statements. */
import { DatabaseSync, type StatementSync } from 'node:sqlite'
import type { SqliteRow, SqliteValue } from './encoding.ts'

export type SqliteStatement = {
  readonly handle: StatementSync
  /** Empty for a statement that answers no rows. */
  readonly columns: readonly string[]
  /** Its rows are rows it changed, not rows it found. */
  readonly returning: boolean
}

/** An event's row is about a kilobyte: three fill a page of 4 KiB to 78 %, seven one of 8 KiB to 90 %. */
export const PAGE_BYTES = 8192

/** Only a foreign program holds locks here for long (a backup, a shell); it gets this much patience. */
export const BUSY_TIMEOUT_MS = 2000

/** Beyond this many texts the oldest prepared statement is given up; code holds a few hundred. */
const STATEMENTS_MAX = 1000

export class SqliteConnection {
  readonly database: DatabaseSync
  readonly #statements = new Map<number, SqliteStatement>()

  private constructor(database: DatabaseSync) {
    this.database = database
  }

  static reader(path: string): SqliteConnection {
    const database = new DatabaseSync(path, { readOnly: true, timeout: BUSY_TIMEOUT_MS })
    database.exec('PRAGMA cache_size = -16384; PRAGMA temp_store = MEMORY')
    return new SqliteConnection(database)
  }

  /**
   * WAL with `synchronous=FULL`: a transaction that COMMIT acknowledged survives a power cut. Checkpoints are not made
   * by commits, because each would hold its thread for 30 ms and more (sqlite/checkpoints.ts makes them).
   */
  static writer(path: string, pagesMax?: number): SqliteConnection {
    const database = new DatabaseSync(path, { timeout: BUSY_TIMEOUT_MS, enableForeignKeyConstraints: true })
    if (isNew(database)) {
      // These hold from the first table on. With incremental vacuum, the space of what is deleted can be given back.
      database.exec(`PRAGMA page_size = ${PAGE_BYTES}; PRAGMA auto_vacuum = INCREMENTAL`)
    }
    // What is deleted is overwritten where that costs no extra write.
    database.exec('PRAGMA secure_delete = FAST')
    database.exec('PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA wal_autocheckpoint = 0')
    database.exec('PRAGMA cache_size = -32768; PRAGMA temp_store = MEMORY')
    if (pagesMax !== undefined) database.exec(`PRAGMA max_page_count = ${pagesMax}`)
    return new SqliteConnection(database)
  }

  /** `id` names the text: the same id always comes with the same text. */
  prepare(id: number, text: string): SqliteStatement {
    const known = this.#statements.get(id)
    if (known !== undefined) return known
    const handle = this.database.prepare(text)
    handle.setReturnArrays(true)
    const columns = handle.columns().map(({ name }) => name)
    const statement = { handle, columns, returning: /\bRETURNING\b/i.test(text) }
    this.#makeRoom()
    this.#statements.set(id, statement)
    return statement
  }

  // What is dropped here is finalised by the garbage collector.
  #makeRoom(): void {
    if (this.#statements.size < STATEMENTS_MAX) return
    for (const id of this.#statements.keys()) {
      this.#statements.delete(id)
      return
    }
  }

  close(): void {
    this.database.close()
  }
}

// Asking costs no write, so that a checkpoint thread can start when the disk is full.
function isNew(database: DatabaseSync): boolean {
  return database.prepare('PRAGMA page_count').get()?.['page_count'] === 0
}

export function allRows(statement: SqliteStatement, values: readonly SqliteValue[]): readonly SqliteRow[] {
  return statement.handle.all(...values) as unknown as readonly SqliteRow[]
}

export function firstRow(statement: SqliteStatement, values: readonly SqliteValue[]): SqliteRow | undefined {
  return statement.handle.get(...values) as unknown as SqliteRow | undefined
}
