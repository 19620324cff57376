/** SQL of the graph of events: who follows whom, without what they say. */
import type { Reader } from '@holdfast/platform/database/database'
import { integerList, sql } from '@holdfast/platform/database/sql'
import { EVENT_FLAGS, NOWHERE } from './events.ts'

/** Packed prev and auth events (rooms/edges.ts), by rising nid. */
export function eventEdges(
  db: Reader,
  nids: readonly number[],
): Promise<readonly { event_nid: number; edges: Uint8Array }[]> {
  return db.all(sql`SELECT event_nid, edges FROM events WHERE event_nid IN ${integerList(nids)} ORDER BY event_nid`)
}

export type EventLinkRow = {
  event_nid: number
  room_nid: number
  position: number
  depth: number
  flags: number
  edges: Uint8Array
}

export function eventLinks(db: Reader, nids: readonly number[]): Promise<readonly EventLinkRow[]> {
  return db.all(
    sql`SELECT event_nid, room_nid, position, depth, flags, edges FROM events
        WHERE event_nid IN ${integerList(nids)} ORDER BY event_nid`,
  )
}

/** The newest events of a room's timeline up to a position, newest first. */
export function timelineLinks(
  db: Reader,
  range: { readonly roomNid: number; readonly upTo: number; readonly limit: number },
): Promise<readonly EventLinkRow[]> {
  return db.all(
    sql`SELECT event_nid, room_nid, position, depth, flags, edges FROM events
        WHERE room_nid = ${range.roomNid} AND position <= ${range.upTo} AND position > ${NOWHERE}
        ORDER BY position DESC LIMIT ${range.limit}`,
  )
}

/** Ids of events, by rising nid. */
export function eventIds(
  db: Reader,
  nids: readonly number[],
): Promise<readonly { event_nid: number; event_id: string }[]> {
  return db.all(sql`SELECT event_nid, event_id FROM events WHERE event_nid IN ${integerList(nids)} ORDER BY event_nid`)
}

/** Flags of events that are served to nobody as part of the room's graph. */
export const UNSERVED_FLAGS = EVENT_FLAGS.rejected | EVENT_FLAGS.outlier
