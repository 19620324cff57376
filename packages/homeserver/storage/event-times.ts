/** SQL of finding events by the time that their servers gave them. */
import type { Reader } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'
import type { EventRow } from './events.ts'

export type TimeQuery = {
  readonly roomNid: number
  readonly ts: number
  /** Of events with one time, those beyond this position come next. */
  readonly position: number
  /** No event after this position. */
  readonly upTo: number
  readonly limit: number
}

// The flags are written out, or the engines would not see that the index of visible events answers the question.

/** Timeline events at or after a time, the earliest first; among those of one time, the oldest here. */
export function eventsFromTime(db: Reader, query: TimeQuery): Promise<readonly EventRow[]> {
  return db.all<EventRow>(
    sql`SELECT event_nid, room_nid, position, event_id, type_nid, sender_nid, state_key_nid, flags, state_nid,
          replaces_nid, redacted_by_nid, device_nid, transaction_id, json
        FROM events
        WHERE room_nid = ${query.roomNid} AND flags & 14 = 0 AND position <= ${query.upTo}
          AND (origin_server_ts, position) > (${query.ts}, ${query.position})
        ORDER BY origin_server_ts, position LIMIT ${query.limit}`,
  )
}

/** Timeline events at or before a time, the latest first; among those of one time, the newest here. */
export function eventsUntilTime(db: Reader, query: TimeQuery): Promise<readonly EventRow[]> {
  return db.all<EventRow>(
    sql`SELECT event_nid, room_nid, position, event_id, type_nid, sender_nid, state_key_nid, flags, state_nid,
          replaces_nid, redacted_by_nid, device_nid, transaction_id, json
        FROM events
        WHERE room_nid = ${query.roomNid} AND flags & 14 = 0 AND position <= ${query.upTo}
          AND (origin_server_ts, position) < (${query.ts}, ${query.position})
        ORDER BY origin_server_ts DESC, position DESC LIMIT ${query.limit}`,
  )
}
