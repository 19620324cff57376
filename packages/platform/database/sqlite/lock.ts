/** One process per data folder: a lock that the operating system takes back when its holder dies. */
import { DatabaseSync } from 'node:sqlite'
import { DatabaseLocked } from '../database.ts'
import { engineFault, messageOf } from './faults.ts'

/**
 * Holds an exclusive SQLite lock on a small file of its own. SQLite also knows of other handles in this process, which
 * the operating system's file locks do not.
 * @throws {DatabaseLocked} another handle holds it
 */
export function lockFolder(folder: string, lockPath: string): Disposable {
  const database = new DatabaseSync(lockPath, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    throw new DatabaseLocked(describe(folder, cause), { cause })
  }
  return { [Symbol.dispose]: () => database.close() }
}

function describe(folder: string, cause: unknown): string {
  const code = cause instanceof Error && 'errcode' in cause ? cause.errcode : undefined
  if (code === 5) return `the data folder ${folder} is in use by another Holdfast process; stop that one first`
  return `the data folder ${folder} cannot be locked: ${engineFault(cause) ?? messageOf(cause)}`
}
