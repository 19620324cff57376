/** The database that the configuration names: SQLite in the data folder, or PostgreSQL. */
import { MIGRATIONS_FOLDER } from '@holdfast/homeserver/open-homeserver'
import type { Config } from '@holdfast/platform/config/keys'
import type { Database, DatabaseObserver } from '@holdfast/platform/database/database'
import { loadMigrations } from '@holdfast/platform/database/migrations'
import { openSqlite } from '@holdfast/platform/database/sqlite/open'
import { StartProblem } from './start-problem.ts'

export async function openDatabase(config: Config, observer: DatabaseObserver): Promise<Database> {
  const migrations = await loadMigrations(MIGRATIONS_FOLDER)
  if (config.database !== undefined) {
    throw new StartProblem('settings', 'this version has no PostgreSQL yet: leave `database` out')
  }
  return openSqlite({ folder: config.data, migrations, observer })
}
