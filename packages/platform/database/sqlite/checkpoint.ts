/** Moves what the write-ahead log holds into the database file, and gives free pages back. https://sqlite.org/wal.html#ckpt */
import { BUSY_TIMEOUT_MS, PAGE_BYTES, type SqliteConnection } from './connection.ts'
import { engineFault, messageOf } from './faults.ts'

/**
 * PASSIVE moves what it can without waiting for anyone; TRUNCATE also empties the log, and SHRINK cuts free pages off
 * the database: these two need to be alone.
 */
export type CheckpointMode = 'PASSIVE' | 'TRUNCATE' | 'SHRINK'

/**
 * In pages. `moved` below `logged` means that a reader or the writer kept the rest from being moved. `free` of the
 * database's `pages` hold nothing.
 */
export type CheckpointDone = {
  readonly kind: 'done'
  readonly logged: number
  readonly moved: number
  readonly pages: number
  readonly free: number
  readonly ms: number
}

export type CheckpointResult = CheckpointDone | { readonly kind: 'failed'; readonly message: string }

/** Commits wait for a TRUNCATE, so it does not wait long for a reader. */
const TRUNCATE_PATIENCE_MS = 50

/** One SHRINK gives back this much at most, because commits wait for it. */
const SHRINK_PAGES = (4 * 1024 * 1024) / PAGE_BYTES

export function checkpoint(connection: SqliteConnection, mode: CheckpointMode): CheckpointResult {
  const start = performance.now()
  try {
    if (mode === 'SHRINK') connection.database.exec(`PRAGMA incremental_vacuum(${SHRINK_PAGES})`)
    const moved = moveLog(connection, mode === 'SHRINK' ? 'PASSIVE' : mode)
    const pages = pragma(connection, 'page_count')
    const free = pragma(connection, 'freelist_count')
    return { kind: 'done', ...moved, pages, free, ms: performance.now() - start }
  } catch (error) {
    return { kind: 'failed', message: engineFault(error) ?? messageOf(error) }
  }
}

function moveLog({ database }: SqliteConnection, mode: 'PASSIVE' | 'TRUNCATE'): { logged: number; moved: number } {
  database.exec(`PRAGMA busy_timeout = ${TRUNCATE_PATIENCE_MS}`)
  try {
    const row = database.prepare(`PRAGMA wal_checkpoint(${mode})`).get() as { log: number; checkpointed: number }
    return { logged: row.log, moved: row.checkpointed }
  } finally {
    database.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`)
  }
}

function pragma({ database }: SqliteConnection, name: 'page_count' | 'freelist_count'): number {
  return Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0])
}
