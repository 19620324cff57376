/** One process per data folder: a lock that the operating system takes back when its holder dies. */
import { DatabaseSync } from 'node:sqlite'
import { DatabaseLocked } from '../database.ts'

const SQLITE_BUSY = 5

/**
 * Holds an exclusive SQLite lock on a small file of its own. SQLite also knows of other handles in this process, which
 * the operating system's file locks do not.
 * @throws {DatabaseLocked} another handle holds it
 * @throws {Error} of SQLite, where the disk does not allow it
 */
export function lockFolder(folder: string, lockPath: string): Disposable {
  const database = new DatabaseSync(lockPath, { timeout: 0 })
  try {
    database.exec('BEGIN EXCLUSIVE')
  } catch (cause) {
    database.close()
    if (!isBusy(cause)) throw cause
    const message = `the data folder ${folder} is in use by another Holdfast process; stop that one first`
    throw new DatabaseLocked(message, { cause })
  }
  return { [Symbol.dispose]: () => database.close() }
}

function isBusy(cause: unknown): boolean {
  return cause instanceof Error && 'errcode' in cause && cause.errcode === SQLITE_BUSY
}
