/** What SQLite's error codes mean for a list: its own fault, or an engine that cannot work. */
import type { Constraint } from '../database.ts'
import type { Refusal } from '../prepared.ts'

/** Primary result codes after which nothing can be said about the list itself. https://sqlite.org/rescode.html */
const ENGINE_FAULTS = new Map([
  [5, 'the database is held by another program'],
  [6, 'the database is held by another connection'],
  [7, 'out of memory'],
  [8, 'the database cannot be written to'],
  [9, 'interrupted'],
  [10, 'the disk failed'],
  [11, 'the database file is damaged'],
  [13, 'the disk is full'],
  [14, 'the database file cannot be opened'],
  [15, 'the lock protocol failed'],
  [26, 'the file is not a database'],
])

const CONSTRAINTS = new Map<number, Constraint>([
  [275, 'check'],
  [787, 'foreign-key'],
  [1299, 'not-null'],
  [1555, 'unique'],
  [2067, 'unique'],
  [2579, 'unique'],
])

/** A sentence when the engine cannot work now; undefined when the statement is to blame. */
export function engineFault(error: unknown): string | undefined {
  const code = resultCode(error)
  if (code === undefined) return isClosed(error) ? 'the database is closed' : undefined
  const fault = ENGINE_FAULTS.get(code & 0xff)
  return fault === undefined ? undefined : `${fault} (${messageOf(error)}, code ${code})`
}

export function refusal(error: unknown, index: number): Refusal {
  return { kind: 'refused', index, constraint: CONSTRAINTS.get(resultCode(error) ?? 0), message: messageOf(error) }
}

export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error)
}

function resultCode(error: unknown): number | undefined {
  if (!(error instanceof Error) || !('errcode' in error) || typeof error.errcode !== 'number') return undefined
  return error.errcode
}

function isClosed(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ERR_INVALID_STATE'
}
