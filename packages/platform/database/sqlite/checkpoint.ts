/** Moves what the write-ahead log holds into the database file. https://sqlite.org/wal.html#ckpt */
import { engineFault, messageOf } from './faults.ts'
import type { SqliteConnection } from './connection.ts'

/** PASSIVE moves what it can without waiting for anyone; TRUNCATE also empties the file, and needs to be alone. */
export type CheckpointMode = 'PASSIVE' | 'TRUNCATE'

/** In pages; `moved` below `logged` means that a reader or the writer kept the rest from being moved. */
export type CheckpointResult =
  | { readonly kind: 'done'; readonly logged: number; readonly moved: number; readonly ms: number }
  | { readonly kind: 'failed'; readonly message: string }

export function checkpoint({ database }: SqliteConnection, mode: CheckpointMode): CheckpointResult {
  const start = performance.now()
  try {
    const row = database.prepare(`PRAGMA wal_checkpoint(${mode})`).get() as { log: number; checkpointed: number }
    return { kind: 'done', logged: row.log, moved: row.checkpointed, ms: performance.now() - start }
  } catch (error) {
    return { kind: 'failed', message: engineFault(error) ?? messageOf(error) }
  }
}
