/** Opens a PostgreSQL database. */
import { CommitQueue } from '../commit-queue.ts'
import type { Database, DatabaseObserver } from '../database.ts'
import type { Migration } from '../migrations.ts'
import { guarded } from '../observer.ts'
import { prepareList } from '../prepared.ts'
import type { PostgresConnection } from './connection.ts'
import { postgresEncoding, type PostgresValue } from './encoding.ts'
import { migratePostgres } from './migrate.ts'
import { postgresReader } from './reader.ts'
import { connectError, connectWriter } from './session.ts'
import { PostgresWriter, type WriterOptions } from './writer.ts'

export type PostgresOptions = {
  /** `postgres://user:password@host:port/database`; the database must exist, with the encoding UTF8. */
  readonly url: string
  readonly migrations: readonly Migration[]
  /** Connections for point reads and for `heavy` ones, each opened when it is needed (default 4 and 2). */
  readonly readConnections?: number
  readonly heavyConnections?: number
  /** How long commits and reads wait for a lost connection before they fail (default 9000). */
  readonly outageMsMax?: number
  readonly observer?: DatabaseObserver
}

const CONNECT_MS_MAX = 3000
const SILENCE_MS_MAX = 5000
const HEAVY_SILENCE_MS_MAX = 60_000
const OUTAGE_MS_MAX = 9000

/**
 * @throws {DatabaseLocked} another process works on this database
 * @throws {SchemaMismatch} the database was made by other or newer migrations
 * @throws {DatabaseUnavailable} there is no connection
 */
export async function openPostgres(options: PostgresOptions): Promise<Database> {
  const { url, migrations } = options
  const observer = guarded(options.observer ?? {})
  const outageMsMax = options.outageMsMax ?? OUTAGE_MS_MAX
  const silenceMsMax = Math.min(SILENCE_MS_MAX, outageMsMax)
  const base = { url, connectMsMax: Math.min(CONNECT_MS_MAX, outageMsMax / 3), silenceMsMax, outageMsMax }
  await using opening = new AsyncDisposableStack()
  const writer = await startWriter(base, migrations, observer)
  opening.defer(() => writer.close())
  const point = postgresReader({ ...base, connections: options.readConnections ?? 4 })
  opening.defer(() => point.close())
  const heavyOptions = { ...base, silenceMsMax: HEAVY_SILENCE_MS_MAX }
  const heavy = postgresReader({ ...heavyOptions, connections: options.heavyConnections ?? 2 })
  opening.defer(() => heavy.close())
  const queue = new CommitQueue<PostgresValue>(
    (lists) => writer.write(lists),
    observer,
    () => {},
  )
  opening.defer(() => queue.close())
  const resources = opening.move()
  return {
    engine: 'postgres',
    ...point.reader,
    heavy: heavy.reader,
    commit: async (statements, options) =>
      queue.commit(prepareList(postgresEncoding, statements, options?.positions ?? 0)),
    lastPosition: () => writer.position(),
    [Symbol.asyncDispose]: () => resources.disposeAsync(),
  }
}

async function startWriter(
  options: WriterOptions,
  migrations: PostgresOptions['migrations'],
  observer: DatabaseObserver,
): Promise<PostgresWriter> {
  const connection = await connectWriter(options).catch((error: unknown) => {
    throw connectError(error)
  })
  return takeOver(connection, options, { migrations, observer }).catch(async (error: unknown) => {
    await connection.close()
    throw error
  })
}

async function takeOver(
  connection: PostgresConnection,
  options: WriterOptions,
  { migrations, observer }: { migrations: PostgresOptions['migrations']; observer: DatabaseObserver },
): Promise<PostgresWriter> {
  // One statement that scans a large table may take its time; it is the silence of an idle server that must end.
  await migratePostgres(connection, migrations)
  return PostgresWriter.start(connection, options, observer)
}
