/** What PostgreSQL's error codes mean for a list: its own fault, or an engine that cannot work. */
import type { Constraint } from '../database.ts'
import type { Refusal } from '../prepared.ts'

/**
 * Classes and codes after which nothing can be said about the list itself: connection, serialization, resources,
 * shutdown, disk, internal errors. https://www.postgresql.org/docs/current/errcodes-appendix.html
 */
const ENGINE_FAULTS = ['08', '40', '53', '55P03', '57', '58', 'XX', '25006', '25P03']

const CONSTRAINTS = new Map<string, Constraint>([
  ['23502', 'not-null'],
  ['23503', 'foreign-key'],
  ['23505', 'unique'],
  ['23514', 'check'],
])

/** An earlier statement of the transaction failed; this one was not tried. */
const IN_FAILED_TRANSACTION = '25P02'

export function isAftermath(error: Error): boolean {
  return sqlState(error) === IN_FAILED_TRANSACTION
}

/** A sentence when the engine cannot work now; undefined when the statement is to blame. */
export function engineFault(error: Error): string | undefined {
  const state = sqlState(error)
  if (state === undefined) return isLocal(error) ? undefined : `the connection to PostgreSQL failed: ${error.message}`
  if (!ENGINE_FAULTS.some((prefix) => state.startsWith(prefix))) return undefined
  return `PostgreSQL cannot work now: ${error.message} (${state})`
}

export function refusal(error: Error, index: number): Refusal {
  return { kind: 'refused', index, constraint: CONSTRAINTS.get(sqlState(error) ?? ''), message: error.message }
}

/** The server's five characters; an error of the socket has a code, too, but no severity. */
export function sqlState(error: Error): string | undefined {
  if (!('severity' in error) || !('code' in error) || typeof error.code !== 'string') return undefined
  return error.code
}

/** Thrown in this process while a row was read, such as an integer that JavaScript cannot hold. */
function isLocal(error: Error): boolean {
  return error instanceof TypeError || error instanceof RangeError
}
