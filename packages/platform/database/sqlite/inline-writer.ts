/** The writer on the calling thread, for disks that make data durable in well under a millisecond. */
import { nextTurn } from '../commit-queue.ts'
import type { Outcome, PreparedList } from '../prepared.ts'
import type { SqliteConnection } from './connection.ts'
import type { SqliteValue } from './encoding.ts'
import { GroupApplier } from './group.ts'
import type { SqliteWriter } from './writer.ts'

export function inlineWriter(connection: SqliteConnection): SqliteWriter {
  const applier = new GroupApplier(connection)
  return {
    position: () => applier.position,
    write: (lists) => applyInSlices(applier, lists),
    // The connection is the opener's.
    close: async () => {},
  }
}

async function applyInSlices(
  applier: GroupApplier,
  lists: readonly PreparedList<SqliteValue>[],
): Promise<readonly Outcome[]> {
  const slices = applier.apply(lists)
  for (;;) {
    const slice = slices.next()
    if (slice.done === true) return slice.value
    await nextTurn()
  }
}
