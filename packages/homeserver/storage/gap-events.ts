/** Events of which some of what they follow is missing. */
import type { Reader } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'

/** Those deeper than something, nearest first. The 16 is EVENT_FLAGS.gap: written out, for the index is found by it. */
export function gapEventsDeeper(
  db: Reader,
  than: { readonly roomNid: number; readonly depth: number; readonly limit: number },
): Promise<readonly number[]> {
  return db.column(
    sql`SELECT event_nid FROM events
        WHERE room_nid = ${than.roomNid} AND depth > ${than.depth} AND flags & 16 <> 0
        ORDER BY depth, event_nid LIMIT ${than.limit}`,
  )
}
