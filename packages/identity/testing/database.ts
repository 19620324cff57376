/** The database of a test: SQLite in its folder, or with HOLDFAST_TEST_DATABASE=postgres a database of its own on a real PostgreSQL. */
import type { Database } from '@holdfast/platform/database/database'
import { loadMigrations } from '@holdfast/platform/database/migrations'
import { openPostgres } from '@holdfast/platform/database/postgres/open'
import { openSqlite } from '@holdfast/platform/database/sqlite/open'
import { startPostgres } from '@holdfast/platform/database/testing/postgres'
import { MIGRATIONS_FOLDER } from '../storage/migrations-folder.ts'

export type TestDatabase = AsyncDisposable & {
  /** Can be opened again after it was closed: the data stay until this is disposed. */
  open(): Promise<Database>
}

export async function testDatabase(folder: string): Promise<TestDatabase> {
  const migrations = await loadMigrations(MIGRATIONS_FOLDER)
  if (process.env['HOLDFAST_TEST_DATABASE'] === 'postgres') {
    const postgres = await startPostgres()
    return {
      open: () => openPostgres({ url: postgres.url, migrations }),
      [Symbol.asyncDispose]: () => postgres[Symbol.asyncDispose](),
    }
  }
  return {
    open: () => openSqlite({ folder, migrations, writer: 'inline', checkpoints: 'inline', readerThreads: 0 }),
    [Symbol.asyncDispose]: async () => {},
  }
}
