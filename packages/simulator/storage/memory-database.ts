/** The embedded engine on a database in memory, without a thread: what a simulated server has as its disk. */
import { CommitQueue } from '@holdfast/platform/database/commit-queue'
import type { Database } from '@holdfast/platform/database/database'
import type { Migration } from '@holdfast/platform/database/migrations'
import { prepareList } from '@holdfast/platform/database/prepared'
import { SqliteConnection } from '@holdfast/platform/database/sqlite/connection'
import { sqliteEncoding, type SqliteValue } from '@holdfast/platform/database/sqlite/encoding'
import { GroupApplier } from '@holdfast/platform/database/sqlite/group'
import { migrateSqlite } from '@holdfast/platform/database/sqlite/migrate'
import { sqliteReader } from '@holdfast/platform/database/sqlite/reader'

/** Readers and the writer share one connection, so a transaction must not be open between two turns of the loop. */
export function openMemoryDatabase(migrations: readonly Migration[]): Database {
  const connection = SqliteConnection.writer(':memory:')
  migrateSqlite(connection, migrations)
  const applier = new GroupApplier(connection)
  const reader = sqliteReader(connection)
  const queue = new CommitQueue<SqliteValue>(
    async (lists) => {
      const slices = applier.apply(lists)
      for (;;) {
        const slice = slices.next()
        if (slice.done === true) return slice.value
      }
    },
    {},
    () => {},
  )
  return {
    engine: 'sqlite',
    ...reader,
    heavy: reader,
    commit: async (statements, options) =>
      queue.commit(prepareList(sqliteEncoding, statements, options?.positions ?? 0)),
    lastPosition: () => applier.position,
    [Symbol.asyncDispose]: async () => {
      await queue.close()
      connection.close()
    },
  }
}
