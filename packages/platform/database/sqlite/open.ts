/** Opens (and makes, if need be) the SQLite database in a data folder. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { CommitQueue } from '../commit-queue.ts'
import {
  DatabaseLocked,
  DatabaseUnavailable,
  SchemaMismatch,
  type Database,
  type DatabaseObserver,
} from '../database.ts'
import type { Migration } from '../migrations.ts'
import { guarded } from '../observer.ts'
import { prepareList } from '../prepared.ts'
import { checkpoint, type CheckpointMode, type CheckpointResult } from './checkpoint.ts'
import { Checkpoints } from './checkpoints.ts'
import { PAGE_BYTES, SqliteConnection } from './connection.ts'
import { sqliteEncoding, type SqliteValue } from './encoding.ts'
import { engineFault, messageOf } from './faults.ts'
import { readPosition } from './group.ts'
import { heavyReader } from './heavy-reader.ts'
import { inlineWriter } from './inline-writer.ts'
import { lockFolder } from './lock.ts'
import { migrateSqlite } from './migrate.ts'
import { sqliteReader } from './reader.ts'
import { measureSyncMs } from './sync-time.ts'
import { Thread } from './thread.ts'
import { threadedWriter } from './threaded-writer.ts'
import type { SqliteWriter } from './writer.ts'

export type SqliteOptions = {
  /** Made if it does not exist. Holds `holdfast.db`, its log, and the lock. */
  readonly folder: string
  readonly migrations: readonly Migration[]
  /** Where commits run; by default a thread unless an fsync costs next to nothing here. */
  readonly writer?: 'inline' | 'thread'
  /** Threads for `heavy` reads, each started when it is needed (default 1). 0: they run on the calling thread. */
  readonly readerThreads?: number
  /** Where checkpoints run (default thread). */
  readonly checkpoints?: 'inline' | 'thread'
  /** Commits that would make the database file larger are refused as if the disk were full. */
  readonly bytesMax?: number
  readonly observer?: DatabaseObserver
}

/**
 * Where one fsync takes longer than this, the writer gets a thread. Only memory-backed disks are faster: on a real one,
 * a thread brought 1.8 times the sends per second at 64 in flight, and a quarter of the event-loop delay.
 */
const INLINE_SYNC_MS_MAX = 0.02

/**
 * @throws {DatabaseLocked} another process works in this folder
 * @throws {SchemaMismatch} the database was made by other or newer migrations
 * @throws {DatabaseUnavailable} the folder or the disk does not allow it
 */
export async function openSqlite(options: SqliteOptions): Promise<Database> {
  return open(options).catch((cause: unknown) => {
    if (cause instanceof DatabaseLocked || cause instanceof SchemaMismatch) throw cause
    const reason = engineFault(cause) ?? messageOf(cause)
    throw new DatabaseUnavailable(`the database in ${options.folder} cannot be opened: ${reason}`, { cause })
  })
}

async function open(options: SqliteOptions): Promise<Database> {
  const { folder, migrations } = options
  const observer = guarded(options.observer ?? {})
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  await using opening = new AsyncDisposableStack()
  opening.use(lockFolder(folder, join(folder, 'holdfast.lock')))
  const path = join(folder, 'holdfast.db')
  // The last connection to close empties the log, so this one outlives all others.
  const pagesMax = options.bytesMax === undefined ? undefined : Math.ceil(options.bytesMax / PAGE_BYTES)
  const connection = SqliteConnection.writer(path, pagesMax)
  opening.defer(() => connection.close())
  migrateSqlite(connection, migrations)
  checkpoint(connection, 'TRUNCATE')
  const writer = openWriter(options, { path, pagesMax, connection })
  opening.defer(() => writer.close())
  const readConnection = SqliteConnection.reader(path)
  opening.defer(() => readConnection.close())
  const reader = sqliteReader(readConnection)
  const heavy = heavyReader({ path, threads: Math.max(1, options.readerThreads ?? 1) })
  opening.defer(() => heavy.close())
  const checkpointer = openCheckpointer(options, path, connection)
  opening.defer(() => checkpointer.close())
  const queue = new CommitQueue<SqliteValue>(writer.write, observer, () => checkpoints.due())
  const checkpoints = new Checkpoints({ ...checkpointer, exclusively: (task) => queue.exclusively(task), observer })
  opening.defer(() => checkpoints.close())
  opening.defer(() => queue.close())
  const resources = opening.move()
  return {
    engine: 'sqlite',
    ...reader,
    heavy: options.readerThreads === 0 ? reader : heavy.reader,
    commit: async (statements, options) =>
      queue.commit(prepareList(sqliteEncoding, statements, options?.positions ?? 0)),
    lastPosition: () => writer.position(),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

type WriterPlace = {
  readonly path: string
  readonly pagesMax: number | undefined
  readonly connection: SqliteConnection
}

function openWriter({ writer, folder }: SqliteOptions, { path, pagesMax, connection }: WriterPlace): SqliteWriter {
  const place = writer ?? (measureSyncMs(folder) > INLINE_SYNC_MS_MAX ? 'thread' : 'inline')
  if (place === 'inline') return inlineWriter(connection)
  return threadedWriter({ path, pagesMax, position: readPosition(connection) })
}

type Checkpointer = { run(mode: CheckpointMode): Promise<CheckpointResult>; close(): Promise<void> }

function openCheckpointer({ checkpoints }: SqliteOptions, path: string, connection: SqliteConnection): Checkpointer {
  if (checkpoints === 'inline') return { run: async (mode) => checkpoint(connection, mode), close: async () => {} }
  const file = new URL('./checkpoint-thread.ts', import.meta.url)
  const thread = new Thread<CheckpointMode, CheckpointResult>(file, { path })
  return { run: (mode) => thread.call(mode).catch(checkpointFailed), close: () => thread.close() }
}

function checkpointFailed(error: Error): CheckpointResult {
  return { kind: 'failed', message: error.message }
}
