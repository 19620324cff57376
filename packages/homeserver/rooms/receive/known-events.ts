/** Which events of a room are here already, by their ids. */
import type { EventId } from '@holdfast/protocol/ids/brand'
import type { Reader } from '@holdfast/platform/database/database'
import { EVENT_FLAGS } from '../../storage/events.ts'
import { eventsByIdHashes } from '../../storage/federation-rooms.ts'
import { eventIdHash } from '../event-store.ts'

export type KnownEvent = {
  readonly nid: number
  readonly flags: number
  /** The state after it; 0 for outliers, and where it is not known whole. */
  readonly stateNid: number
  /** undefined for message events. */
  readonly stateKeyNid: number | undefined
}

const IDS_PER_READ = 200

export async function knownEvents(
  db: Reader,
  roomNid: number,
  eventIds: Iterable<EventId>,
): Promise<ReadonlyMap<EventId, KnownEvent>> {
  const wanted = [...new Set(eventIds)]
  const known = new Map<EventId, KnownEvent>()
  for (let start = 0; start < wanted.length; start += IDS_PER_READ) {
    const ids = new Set<string>(wanted.slice(start, start + IDS_PER_READ))
    for (const row of await eventsByIdHashes(
      db,
      [...ids].map((id) => eventIdHash(id as EventId)),
    )) {
      if (row.room_nid !== roomNid || !ids.has(row.event_id)) continue
      known.set(row.event_id as EventId, {
        nid: row.event_nid,
        flags: row.flags,
        stateNid: (row.flags & EVENT_FLAGS.partlyKnown) === 0 ? row.state_nid : 0,
        stateKeyNid: row.state_key_nid ?? undefined,
      })
    }
  }
  return known
}

export function isOutlier({ flags }: Pick<KnownEvent, 'flags'>): boolean {
  return (flags & EVENT_FLAGS.outlier) !== 0
}

export function isRejected({ flags }: Pick<KnownEvent, 'flags'>): boolean {
  return (flags & EVENT_FLAGS.rejected) !== 0
}
