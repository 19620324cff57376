/** Brings a SQLite database to the schema of the given migrations. */
import { DatabaseUnavailable, SchemaMismatch } from '../database.ts'
import { checksumOf, migrationText, pendingMigrations, type AppliedMigration, type Migration } from '../migrations.ts'
import type { SqliteConnection } from './connection.ts'
import { engineFault, messageOf } from './faults.ts'

/** The engine's own tables: which migrations were applied, and the newest stream position. */
const OWN_TABLES = `
CREATE TABLE IF NOT EXISTS holdfast_migrations (
  number INTEGER PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS holdfast_stream (id INTEGER PRIMARY KEY CHECK (id = 1), position INTEGER NOT NULL);
INSERT INTO holdfast_stream (id, position) VALUES (1, 0) ON CONFLICT DO NOTHING;
`

/** Each migration is one transaction. @throws {SchemaMismatch} the database was made by other migrations */
export function migrateSqlite({ database }: SqliteConnection, migrations: readonly Migration[]): void {
  transaction(database, () => database.exec(OWN_TABLES))
  const applied = database.prepare('SELECT number, name, checksum FROM holdfast_migrations ORDER BY number').all()
  for (const migration of pendingMigrations(migrations, applied as unknown as AppliedMigration[])) {
    apply(database, migration)
  }
}

function apply(database: SqliteConnection['database'], migration: Migration): void {
  const { number, name } = migration
  try {
    transaction(database, () => {
      const insert = database.prepare('INSERT INTO holdfast_migrations (number, name, checksum) VALUES (?, ?, ?)')
      insert.run(number, name, checksumOf(migration))
      database.exec(migrationText('sqlite', migration))
    })
  } catch (cause) {
    const fault = engineFault(cause)
    if (fault !== undefined) throw new DatabaseUnavailable(`migration ${number} (${name}): ${fault}`, { cause })
    if (cause instanceof SchemaMismatch) throw cause
    throw new SchemaMismatch(`migration ${number} (${name}) failed: ${messageOf(cause)}`, { cause })
  }
}

function transaction(database: SqliteConnection['database'], work: () => void): void {
  database.exec('BEGIN IMMEDIATE')
  try {
    work()
    database.exec('COMMIT')
  } catch (error) {
    if (database.isTransaction) database.exec('ROLLBACK')
    throw error
  }
}
