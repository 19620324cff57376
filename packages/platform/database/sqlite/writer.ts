/** Who applies groups of statement lists: the calling thread or a writer thread. */
import type { GroupWriter } from '../commit-queue.ts'
import type { SqliteValue } from './encoding.ts'

export type SqliteWriter = {
  readonly write: GroupWriter<SqliteValue>
  /** The newest position that readers see. */
  position(): number
  close(): Promise<void>
}
