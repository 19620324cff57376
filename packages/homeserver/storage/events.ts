/** SQL of events. One row per event: its PDU, its edges, the state after it, and the transaction that sent it. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { integerList, position, sql } from '@holdfast/platform/database/sql'

/** Bits of `events.flags`. */
export const EVENT_FLAGS = {
  /** Stored without signatures; they are added before another server sees it. */
  unsigned: 1,
  rejected: 2,
  softFailed: 4,
  /** Known, but not part of the room's graph here. */
  outlier: 8,
  /** Events right before it are not here; other servers have them. */
  gap: 16,
  /** The state stored after it is a part of the room's: it was sent here before the rest came, which never did. */
  partlyKnown: 32,
} as const

/** The position of events that are on no timeline. */
export const NOWHERE = Number.MIN_SAFE_INTEGER

/** Events with any of these are on no timeline. */
export const HIDDEN_FLAGS = EVENT_FLAGS.rejected | EVENT_FLAGS.softFailed | EVENT_FLAGS.outlier

export type EventRow = {
  event_nid: number
  room_nid: number
  position: number
  event_id: string
  type_nid: number
  sender_nid: number
  state_key_nid: number | null
  flags: number
  state_nid: number
  replaces_nid: number | null
  redacted_by_nid: number | null
  device_nid: number | null
  transaction_id: string | null
  json: string
}

export type NewEvent = {
  readonly nid: number
  readonly roomNid: number
  /** Which of the positions of the commit it gets; `at` is a place of its own, off the stream. */
  readonly position: { readonly offset: number } | { readonly at: number }
  readonly eventId: string
  readonly eventIdHash: number
  readonly typeNid: number
  readonly senderNid: number
  readonly stateKeyNid: number | null
  readonly originServerTs: number
  readonly depth: number
  readonly flags: number
  readonly stateNid: number
  readonly roomStateNid: number | null
  readonly edges: Uint8Array
  readonly replacesNid: number | null
  readonly deviceNid: number | null
  readonly transactionId: string | null
  readonly json: string
}

export function insertEvent(event: NewEvent): Statement {
  return statement(
    sql`INSERT INTO events (event_nid, room_nid, position, event_id_hash, event_id, type_nid, sender_nid, state_key_nid,
          origin_server_ts, depth, flags, state_nid, room_state_nid, edges, replaces_nid, device_nid, transaction_id, json)
        VALUES (${event.nid}, ${event.roomNid}, ${'at' in event.position ? event.position.at : position(event.position.offset)},
          ${event.eventIdHash}, ${event.eventId}, ${event.typeNid}, ${event.senderNid}, ${event.stateKeyNid},
          ${event.originServerTs}, ${event.depth}, ${event.flags}, ${event.stateNid}, ${event.roomStateNid}, ${event.edges},
          ${event.replacesNid}, ${event.deviceNid}, ${event.transactionId}, ${event.json})`,
    { changes: 1 },
  )
}

export type PlacedEvent = Pick<
  NewEvent,
  'nid' | 'position' | 'flags' | 'stateNid' | 'roomStateNid' | 'edges' | 'replacesNid'
>

/** Gives an outlier its place in the room's graph. */
export function placeEvent(event: PlacedEvent): Statement {
  return statement(
    sql`UPDATE events SET position = ${'at' in event.position ? event.position.at : position(event.position.offset)},
          flags = ${event.flags}, state_nid = ${event.stateNid}, room_state_nid = ${event.roomStateNid},
          edges = ${event.edges}, replaces_nid = ${event.replacesNid}
        WHERE event_nid = ${event.nid} AND flags & ${EVENT_FLAGS.outlier} <> 0`,
    { changes: 1 },
  )
}

/** The events of these ids, in rising order of nid. */
export function eventsByNid(db: Reader, nids: readonly number[]): Promise<readonly EventRow[]> {
  return db.all<EventRow>(
    sql`SELECT event_nid, room_nid, position, event_id, type_nid, sender_nid, state_key_nid, flags, state_nid,
          replaces_nid, redacted_by_nid, device_nid, transaction_id, json
        FROM events WHERE event_nid IN ${integerList(nids)} ORDER BY event_nid`,
  )
}

export function eventByNid(db: Reader, nid: number): Promise<EventRow | undefined> {
  return db.row<EventRow>(
    sql`SELECT event_nid, room_nid, position, event_id, type_nid, sender_nid, state_key_nid, flags, state_nid,
          replaces_nid, redacted_by_nid, device_nid, transaction_id, json
        FROM events WHERE event_nid = ${nid}`,
  )
}

/** Events whose id has this hash; the caller compares the ids. */
export function eventsByIdHash(db: Reader, hash: number): Promise<readonly { event_nid: number; event_id: string }[]> {
  return db.all(sql`SELECT event_nid, event_id FROM events WHERE event_id_hash = ${hash} ORDER BY event_nid`)
}

export type TimelineRange = {
  readonly roomNid: number
  /** Exclusive lower bound. */
  readonly after: number
  /** Inclusive upper bound. */
  readonly upTo: number
  readonly limit: number
}

/** Visible events of a room, newest first. */
export function timelineBackwards(db: Reader, range: TimelineRange): Promise<readonly EventRow[]> {
  return db.all<EventRow>(
    sql`SELECT event_nid, room_nid, position, event_id, type_nid, sender_nid, state_key_nid, flags, state_nid,
          replaces_nid, redacted_by_nid, device_nid, transaction_id, json
        FROM events
        WHERE room_nid = ${range.roomNid} AND position > ${range.after} AND position <= ${range.upTo}
          AND flags & ${HIDDEN_FLAGS} = 0
        ORDER BY position DESC LIMIT ${range.limit}`,
  )
}

/** Visible events of a room, oldest first. */
export function timelineForwards(db: Reader, range: TimelineRange): Promise<readonly EventRow[]> {
  return db.all<EventRow>(
    sql`SELECT event_nid, room_nid, position, event_id, type_nid, sender_nid, state_key_nid, flags, state_nid,
          replaces_nid, redacted_by_nid, device_nid, transaction_id, json
        FROM events
        WHERE room_nid = ${range.roomNid} AND position > ${range.after} AND position <= ${range.upTo}
          AND flags & ${HIDDEN_FLAGS} = 0
        ORDER BY position ASC LIMIT ${range.limit}`,
  )
}

/** The room's state as of a position: once its newest event at or before it was accepted; undefined before the first. */
export function stateAtPosition(
  db: Reader,
  at: { readonly roomNid: number; readonly position: number },
): Promise<{ state_nid: number; position: number } | undefined> {
  return db.row(
    sql`SELECT COALESCE(room_state_nid, state_nid) AS state_nid, position FROM events
        WHERE room_nid = ${at.roomNid} AND position <= ${at.position} AND flags & ${HIDDEN_FLAGS} = 0
        ORDER BY position DESC LIMIT 1`,
  )
}

/** Replaces the stored PDU by its redacted form and remembers which event did it. The first redaction stays. */
export function redactStoredEvent(redaction: {
  readonly targetNid: number
  readonly byNid: number
  readonly json: string
}): Statement {
  return statement(
    sql`UPDATE events SET redacted_by_nid = ${redaction.byNid}, json = ${redaction.json}
        WHERE event_nid = ${redaction.targetNid} AND redacted_by_nid IS NULL`,
  )
}

/** The events that ever stood at a state key of a room's timeline, newest first. */
export function stateKeyHistory(
  db: Reader,
  key: { readonly roomNid: number; readonly stateKeyNid: number; readonly limit: number },
): Promise<readonly EventRow[]> {
  return db.all<EventRow>(
    sql`SELECT event_nid, room_nid, position, event_id, type_nid, sender_nid, state_key_nid, flags, state_nid,
          replaces_nid, redacted_by_nid, device_nid, transaction_id, json
        FROM events
        WHERE room_nid = ${key.roomNid} AND state_key_nid = ${key.stateKeyNid} AND flags & ${HIDDEN_FLAGS} = 0
        ORDER BY position DESC LIMIT ${key.limit}`,
  )
}

/** The event next to a position of a room's timeline: the first after it, or the last before it. */
export function neighbourEvent(
  db: Reader,
  at: { readonly roomNid: number; readonly position: number; readonly side: 'after' | 'before' },
): Promise<{ event_nid: number; position: number; flags: number } | undefined> {
  if (at.side === 'after') {
    return db.row(
      sql`SELECT event_nid, position, flags FROM events
          WHERE room_nid = ${at.roomNid} AND position > ${at.position} AND flags & ${HIDDEN_FLAGS} = 0
          ORDER BY position ASC LIMIT 1`,
    )
  }
  return db.row(
    sql`SELECT event_nid, position, flags FROM events
        WHERE room_nid = ${at.roomNid} AND position < ${at.position} AND position > ${NOWHERE}
          AND flags & ${HIDDEN_FLAGS} = 0
        ORDER BY position DESC LIMIT 1`,
  )
}

/** What was missing before the event is here now. */
export function closeGap(eventNid: number): Statement {
  return statement(
    sql`UPDATE events SET flags = flags - ${EVENT_FLAGS.gap} WHERE event_nid = ${eventNid} AND flags & ${EVENT_FLAGS.gap} <> 0`,
  )
}

/**
 * The events that tell of the room from outside are found by their ids no longer: the memberships of their users still lead
 * to them, and the room's own copies are stored beside them, after what authorises them.
 */
export function hideOutsideEvents(roomNid: number): Statement {
  return statement(
    sql`UPDATE events SET event_id_hash = -1 - event_id_hash
        WHERE room_nid = ${roomNid} AND flags & ${EVENT_FLAGS.outlier} <> 0 AND position > ${NOWHERE}
          AND event_id_hash >= 0`,
  )
}
