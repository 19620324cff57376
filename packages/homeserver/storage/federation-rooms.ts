/** SQL of rooms shared with other servers: their members there, refusals, and what is to be told. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { integerList, position, sql, textList } from '@holdfast/platform/database/sql'

/** The other servers with joined members in a room. */
export function roomServers(db: Reader, roomNid: number): Promise<readonly { server_name: string; joined: number }[]> {
  return db.all(sql`SELECT server_name, joined FROM room_servers WHERE room_nid = ${roomNid} ORDER BY server_name`)
}

/** The rooms in which another server has joined members. */
export function roomsOfServer(db: Reader, serverName: string): Promise<readonly { room_nid: number }[]> {
  return db.all(sql`SELECT room_nid FROM room_servers WHERE server_name = ${serverName} ORDER BY room_nid`)
}

export function setRoomServer(row: {
  readonly roomNid: number
  readonly serverName: string
  readonly joined: number
}): Statement {
  if (row.joined === 0) {
    return statement(sql`DELETE FROM room_servers WHERE room_nid = ${row.roomNid} AND server_name = ${row.serverName}`)
  }
  return statement(
    sql`INSERT INTO room_servers (room_nid, server_name, joined) VALUES (${row.roomNid}, ${row.serverName}, ${row.joined})
        ON CONFLICT (room_nid, server_name) DO UPDATE SET joined = excluded.joined`,
    { changes: 1 },
  )
}

export function insertEventVerdict(verdict: {
  readonly eventNid: number
  readonly rule: string
  readonly message: string
}): Statement {
  return statement(
    sql`INSERT INTO event_verdicts (event_nid, rule, message) VALUES (${verdict.eventNid}, ${verdict.rule}, ${verdict.message})
        ON CONFLICT (event_nid) DO UPDATE SET rule = excluded.rule, message = excluded.message`,
  )
}

export function eventVerdict(db: Reader, eventNid: number): Promise<{ rule: string; message: string } | undefined> {
  return db.row(sql`SELECT rule, message FROM event_verdicts WHERE event_nid = ${eventNid}`)
}

export function insertWaitingRedaction(row: {
  readonly roomNid: number
  readonly targetId: string
  readonly redactionNid: number
}): Statement {
  return statement(
    sql`INSERT INTO waiting_redactions (room_nid, target_id, redaction_nid)
        VALUES (${row.roomNid}, ${row.targetId}, ${row.redactionNid}) ON CONFLICT DO NOTHING`,
  )
}

export function waitingRedactions(
  db: Reader,
  query: { readonly roomNid: number; readonly targetIds: readonly string[] },
): Promise<readonly { target_id: string; redaction_nid: number }[]> {
  return db.all(
    sql`SELECT target_id, redaction_nid FROM waiting_redactions
        WHERE room_nid = ${query.roomNid} AND target_id IN ${textList(query.targetIds)} ORDER BY redaction_nid`,
  )
}

export function deleteWaitingRedactions(row: { readonly roomNid: number; readonly targetId: string }): Statement {
  return statement(sql`DELETE FROM waiting_redactions WHERE room_nid = ${row.roomNid} AND target_id = ${row.targetId}`)
}

/** `stripped` is the text of a JSON array. */
export function setStrippedState(row: {
  readonly roomNid: number
  readonly userNid: number
  readonly stripped: string
}): Statement {
  return statement(
    sql`INSERT INTO stripped_states (room_nid, user_nid, stripped) VALUES (${row.roomNid}, ${row.userNid}, ${row.stripped})
        ON CONFLICT (room_nid, user_nid) DO UPDATE SET stripped = excluded.stripped`,
    { changes: 1 },
  )
}

export function strippedStateOf(
  db: Reader,
  who: { readonly roomNid: number; readonly userNid: number },
): Promise<{ stripped: string } | undefined> {
  return db.row(sql`SELECT stripped FROM stripped_states WHERE room_nid = ${who.roomNid} AND user_nid = ${who.userNid}`)
}

export function insertOutgoingEvent(row: {
  readonly positionOffset: number
  readonly roomNid: number
  readonly eventNid: number
  /** Servers that the event took out of the room. */
  readonly departed: readonly string[]
}): Statement {
  const departed = row.departed.length === 0 ? null : JSON.stringify(row.departed)
  return statement(
    sql`INSERT INTO outgoing_events (position, room_nid, event_nid, departed)
        VALUES (${position(row.positionOffset)}, ${row.roomNid}, ${row.eventNid}, ${departed})`,
    { changes: 1 },
  )
}

export type OutgoingEventRow = { position: number; room_nid: number; event_nid: number; departed: string | null }

/** In their order. */
export function outgoingEvents(
  db: Reader,
  range: { readonly after: number; readonly upTo: number; readonly limit: number },
): Promise<readonly OutgoingEventRow[]> {
  return db.all(
    sql`SELECT position, room_nid, event_nid, departed FROM outgoing_events
        WHERE position > ${range.after} AND position <= ${range.upTo} ORDER BY position LIMIT ${range.limit}`,
  )
}

/** Everybody has heard of the events up to this position. */
export function deleteOutgoingEvents(upTo: number): Statement {
  return statement(sql`DELETE FROM outgoing_events WHERE position <= ${upTo}`)
}

export type KnownEventRow = {
  event_nid: number
  event_id: string
  room_nid: number
  flags: number
  state_nid: number
  state_key_nid: number | null
}

/** Events whose id has one of these hashes; the caller compares the ids. */
export function eventsByIdHashes(db: Reader, hashes: readonly number[]): Promise<readonly KnownEventRow[]> {
  return db.all(
    sql`SELECT event_nid, event_id, room_nid, flags, state_nid, state_key_nid FROM events
        WHERE event_id_hash IN ${integerList(hashes)} ORDER BY event_nid`,
  )
}

/** The least position of a room's timeline; undefined if it has none. */
export function oldestPosition(db: Reader, roomNid: number): Promise<{ position: number } | undefined> {
  return db.row(
    sql`SELECT position FROM events WHERE room_nid = ${roomNid} AND position > ${Number.MIN_SAFE_INTEGER}
        ORDER BY position LIMIT 1`,
  )
}
