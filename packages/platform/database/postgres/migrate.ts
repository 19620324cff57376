/** Brings a PostgreSQL database to the schema of the given migrations. */
import { DatabaseUnavailable, SchemaMismatch } from '../database.ts'
import { checksumOf, migrationText, pendingMigrations, type Migration } from '../migrations.ts'
import { rowsOrThrow, type PostgresConnection } from './connection.ts'
import { engineFault } from './faults.ts'

/** As in SQLite; `marker` grows by one with every commit, to learn what became of one whose answer was lost. */
const OWN_TABLES = `
CREATE TABLE IF NOT EXISTS holdfast_migrations (
  number BIGINT PRIMARY KEY, name TEXT COLLATE "C" NOT NULL, checksum TEXT COLLATE "C" NOT NULL
);
CREATE TABLE IF NOT EXISTS holdfast_stream (
  id BIGINT PRIMARY KEY CHECK (id = 1), position BIGINT NOT NULL, marker BIGINT NOT NULL
);
INSERT INTO holdfast_stream (id, position, marker) VALUES (1, 0, 0) ON CONFLICT DO NOTHING;
`

/** Negative, so that it never meets the id of a rendered template. */
const INSERT_MIGRATION = -20

/** Each migration is one transaction; the caller holds the lock. @throws {SchemaMismatch} made by other migrations */
export async function migratePostgres(connection: PostgresConnection, migrations: readonly Migration[]): Promise<void> {
  await rowsOrThrow(connection.sendText(`SET client_min_messages = warning; BEGIN; ${OWN_TABLES} COMMIT`))
  const rows = await rowsOrThrow(
    connection.sendText('SELECT number, name, checksum FROM holdfast_migrations ORDER BY number'),
  )
  const applied = rows.map(([number, name, checksum]) => ({
    number: Number(number),
    name: String(name),
    checksum: String(checksum),
  }))
  for (const migration of pendingMigrations(migrations, applied)) await apply(connection, migration)
}

async function apply(connection: PostgresConnection, migration: Migration): Promise<void> {
  const { number, name } = migration
  const text = migrationText('postgres', migration)
  const insert = `INSERT INTO holdfast_migrations (number, name, checksum) VALUES ($1, $2, $3)`
  try {
    await rowsOrThrow(connection.sendText('BEGIN'))
    await rowsOrThrow(
      connection.send({ id: INSERT_MIGRATION, text: insert, values: [String(number), name, checksumOf(migration)] }),
    )
    await rowsOrThrow(connection.sendText(text))
    await rowsOrThrow(connection.sendText('COMMIT'))
  } catch (cause) {
    await connection.sendText('ROLLBACK')
    const error = cause as Error
    const fault = engineFault(error)
    if (fault !== undefined) throw new DatabaseUnavailable(`migration ${number} (${name}): ${fault}`, { cause })
    throw new SchemaMismatch(`migration ${number} (${name}) failed: ${error.message}`, { cause })
  }
}
