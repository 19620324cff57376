/** Keeps what waits for servers that are away within the number of rooms. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { Statement } from '@holdfast/platform/database/database'
import type { Homeserver } from '../../homeserver.ts'
import { outgoingEvents, type OutgoingEventRow } from '../../storage/federation-rooms.ts'
import { clearDeparted, deleteOlderInRoom } from '../../storage/outbox.ts'
import { cursorOf, type Lane } from './lane.ts'
import { OUTBOX_LIMITS } from './limits.ts'
import { departedServers } from './route-event.ts'

export type CompactDeps = Pick<Homeserver, 'db'> & {
  readonly lanes: ReadonlyMap<ServerName, Lane>
  readonly settled: () => number
}

/** @returns a step that answers whether there may be more to do */
export function compaction(deps: CompactDeps): () => Promise<boolean> {
  let compacted = 0
  return async () => {
    const { eventsKept, compactedAtOnce } = OUTBOX_LIMITS
    const limit = eventsKept + compactedAtOnce
    const rows = await outgoingEvents(deps.db, { after: compacted, upTo: deps.settled(), limit })
    if (rows.length < limit) return false
    const old = rows.slice(0, compactedAtOnce)
    await deps.db.commit(compactionOf(old, deps.lanes))
    compacted = old.at(-1)!.position
    return true
  }
}

function compactionOf(old: readonly OutgoingEventRow[], lanes: CompactDeps['lanes']): readonly Statement[] {
  const isMissedBy = (row: OutgoingEventRow, server: ServerName): boolean => {
    const lane = lanes.get(server)
    const cursor = lane === undefined ? undefined : cursorOf(lane)
    return cursor !== undefined && cursor < row.position
  }
  const over = old.filter(
    (row) => row.departed !== null && !departedServers(row.departed).some((server) => isMissedBy(row, server)),
  )
  const newest = new Map(old.map((row) => [row.room_nid, row.position]))
  return [
    ...over.map((row) => clearDeparted(row.position)),
    ...[...newest].map(([roomNid, below]) => deleteOlderInRoom({ roomNid, below })),
  ]
}
