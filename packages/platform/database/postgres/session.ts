/** Connects and readies sessions, and holds the lock that makes this process the database's only one. */
import { setTimeout as sleep } from 'node:timers/promises'
import { DatabaseLocked, DatabaseUnavailable } from '../database.ts'
import { PostgresConnection, rowsOrThrow, type ConnectionOptions } from './connection.ts'
import { engineFault } from './faults.ts'

/** Arbitrary, but the same in every version: the advisory lock of Holdfast in a database. */
const LOCK_KEY = '7449363821945331'

/** A process that was killed holds its lock until the server notices. */
const LOCK_PATIENCE_MS = 1500
const LOCK_RETRY_MS = 50

/** Negative, so that it never meets the id of a rendered template. */
const END_SESSION = -10

const SESSION = `
SET standard_conforming_strings = on;
SET jit = off;
SET default_transaction_isolation = 'read committed';
`

/** A vanished client must neither hold the lock nor an open transaction for long. */
const WRITER_SESSION = `
${SESSION}
SET idle_in_transaction_session_timeout = '30s';
SET tcp_keepalives_idle = 15;
SET tcp_keepalives_interval = 5;
SET tcp_keepalives_count = 3;
`

export async function connectReader(options: ConnectionOptions): Promise<PostgresConnection> {
  const connection = await PostgresConnection.connect(options)
  await readied(connection, SESSION)
  return connection
}

/**
 * @param previous the session that was lost, if any
 * @throws {DatabaseLocked} another process holds the lock
 */
export async function connectWriter(
  options: ConnectionOptions,
  previous?: SessionIdentity,
): Promise<PostgresConnection> {
  const connection = await PostgresConnection.connect(options)
  await readied(connection, WRITER_SESSION)
  try {
    await ensureDurable(connection)
    if (previous !== undefined) await endSession(connection, previous)
    await lock(connection)
  } catch (error) {
    connection.destroy(new Error('the session could not be readied'))
    throw error
  }
  return connection
}

async function readied(connection: PostgresConnection, settings: string): Promise<void> {
  const answer = await connection.sendText(settings)
  if (answer.kind === 'rows') return
  connection.destroy(answer.error)
  throw answer.error
}

/** What commit acknowledges is durable, whatever the server's default is; and texts need UTF-8. */
async function ensureDurable(connection: PostgresConnection): Promise<void> {
  const query = `SELECT current_setting('server_encoding'),
    CASE WHEN current_setting('synchronous_commit') IN ('off', 'local') THEN set_config('synchronous_commit', 'on', false) END`
  const [row] = await rowsOrThrow(connection.sendText(query))
  if (row?.[0] === 'UTF8') return
  throw new DatabaseUnavailable(`the database has the encoding ${String(row?.[0])}; create it with ENCODING 'UTF8'`)
}

async function lock(connection: PostgresConnection): Promise<void> {
  for (const start = performance.now(); ; await sleep(LOCK_RETRY_MS)) {
    const [row] = await rowsOrThrow(connection.sendText(`SELECT pg_try_advisory_lock(${LOCK_KEY})`))
    if (row?.[0] === 1) return
    if (performance.now() - start < LOCK_PATIENCE_MS) continue
    throw new DatabaseLocked('the PostgreSQL database is in use by another Holdfast process; stop that one first')
  }
}

/** A server process, told from a later one with the same number. */
export type SessionIdentity = { readonly processId: number; readonly startedAt: string }

export async function sessionIdentity(connection: PostgresConnection): Promise<SessionIdentity> {
  const query = 'SELECT pid, backend_start::text FROM pg_stat_activity WHERE pid = pg_backend_pid()'
  const [row] = await rowsOrThrow(connection.sendText(query))
  return { processId: Number(row?.[0]), startedAt: String(row?.[1]) }
}

/** Ends a session of ours that the server may still keep after we lost it, with its lock and its transaction. */
async function endSession(connection: PostgresConnection, { processId, startedAt }: SessionIdentity): Promise<void> {
  const text = 'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid = $1 AND backend_start::text = $2'
  await rowsOrThrow(connection.send({ id: END_SESSION, text, values: [String(processId), startedAt] }))
}

/** Another process wrote to the stream that is ours alone. */
export class Fenced extends Error {}

export function connectError(cause: unknown): Error {
  if (cause instanceof DatabaseLocked || cause instanceof DatabaseUnavailable) return cause
  if (cause instanceof Fenced) return new DatabaseUnavailable(cause.message, { cause })
  const error = cause instanceof Error ? cause : new Error(String(cause))
  const reason = engineFault(error) ?? `PostgreSQL refused the connection: ${error.message}`
  return new DatabaseUnavailable(reason, { cause })
}
