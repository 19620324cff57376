/** The database that the configuration names: SQLite in the data folder, or PostgreSQL. */
import { mkdir } from 'node:fs/promises'
import { MIGRATIONS_FOLDER } from '@holdfast/homeserver/open-homeserver'
import type { Config } from '@holdfast/platform/config/keys'
import type { Database, DatabaseObserver } from '@holdfast/platform/database/database'
import { loadMigrations } from '@holdfast/platform/database/migrations'
import { openSqlite } from '@holdfast/platform/database/sqlite/open'

export async function openDatabase(config: Config, observer: DatabaseObserver): Promise<Database> {
  const migrations = await loadMigrations(MIGRATIONS_FOLDER)
  if (config.database === undefined) return openSqlite({ folder: config.data, migrations, observer })
  // Most homes never load the client of PostgreSQL.
  const { openPostgres } = await import('@holdfast/platform/database/postgres/open')
  await mkdir(config.data, { recursive: true, mode: 0o700 })
  return openPostgres({ url: config.database.reveal(), migrations, observer })
}
