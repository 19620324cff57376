/** Opens (and makes, if need be) the SQLite database in a data folder. */
import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { CommitQueue } from '../commit-queue.ts'
import type { Database, DatabaseObserver } from '../database.ts'
import type { Migration } from '../migrations.ts'
import { prepareList } from '../prepared.ts'
import { SqliteConnection } from './connection.ts'
import { sqliteEncoding, type SqliteValue } from './encoding.ts'
import { inlineWriter } from './inline-writer.ts'
import { lockFolder } from './lock.ts'
import { migrateSqlite } from './migrate.ts'
import { sqliteReader } from './reader.ts'

export type SqliteOptions = {
  /** Made if it does not exist. Holds `holdfast.db`, its log, and the lock. */
  readonly folder: string
  readonly migrations: readonly Migration[]
  readonly observer?: DatabaseObserver
}

/**
 * @throws {DatabaseLocked} another process works in this folder
 * @throws {SchemaMismatch} the database was made by other or newer migrations
 */
export async function openSqlite({ folder, migrations, observer = {} }: SqliteOptions): Promise<Database> {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  await using opening = new AsyncDisposableStack()
  opening.use(lockFolder(folder, join(folder, 'holdfast.lock')))
  const path = join(folder, 'holdfast.db')
  const connection = SqliteConnection.writer(path)
  opening.defer(() => connection.close())
  migrateSqlite(connection, migrations)
  const readConnection = SqliteConnection.reader(path)
  opening.defer(() => readConnection.close())
  const writer = inlineWriter(connection)
  const queue = new CommitQueue<SqliteValue>(writer.write, observer)
  opening.defer(() => queue.close())
  const reader = sqliteReader(readConnection)
  const resources = opening.move()
  return {
    engine: 'sqlite',
    ...reader,
    heavy: reader,
    commit: async (statements, options) =>
      queue.commit(prepareList(sqliteEncoding, statements, options?.positions ?? 0)),
    lastPosition: () => writer.position(),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}
