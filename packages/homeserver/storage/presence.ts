/** SQL of presence. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { integerList, position, sql } from '@holdfast/platform/database/sql'

/** `presence.state`. */
export const PRESENCE_CODES = { online: 1, unavailable: 2, offline: 3 } as const
export type PresenceState = keyof typeof PRESENCE_CODES

const NAMES: readonly (PresenceState | undefined)[] = [undefined, 'online', 'unavailable', 'offline']

export function presenceOfCode(code: number): PresenceState {
  const name = NAMES[code]
  if (name === undefined) throw new Error(`unknown presence code ${code} in the database`)
  return name
}

export type PresenceRow = {
  user_nid: number
  state: number
  /** Escaped text. */
  status_message: string | null
  last_active_ms: number
  position: number
}

export function presenceRow(db: Reader, userNid: number): Promise<PresenceRow | undefined> {
  return db.row<PresenceRow>(
    sql`SELECT user_nid, state, status_message, last_active_ms, position FROM presence WHERE user_nid = ${userNid}`,
  )
}

export function presenceRows(db: Reader, userNids: readonly number[]): Promise<readonly PresenceRow[]> {
  return db.all<PresenceRow>(
    sql`SELECT user_nid, state, status_message, last_active_ms, position FROM presence
        WHERE user_nid IN ${integerList(userNids)} ORDER BY user_nid`,
  )
}

/** Whose presence changed in (after, upTo], the newest first. */
export function presenceChanges(
  db: Reader,
  range: { readonly after: number; readonly upTo: number; readonly limit: number },
): Promise<readonly PresenceRow[]> {
  return db.all<PresenceRow>(
    sql`SELECT user_nid, state, status_message, last_active_ms, position FROM presence
        WHERE position > ${range.after} AND position <= ${range.upTo} ORDER BY position DESC LIMIT ${range.limit}`,
  )
}

/** Everybody who was not told to be offline. */
export function presentUsers(db: Reader): Promise<readonly PresenceRow[]> {
  return db.all<PresenceRow>(
    sql`SELECT user_nid, state, status_message, last_active_ms, position FROM presence
        WHERE state <> ${PRESENCE_CODES.offline} ORDER BY user_nid`,
  )
}

/** Takes the position of offset 0. */
export function setPresenceRow(presence: {
  readonly userNid: number
  readonly state: PresenceState
  readonly statusMessage: string | undefined
  readonly lastActiveMs: number
}): Statement {
  return statement(
    sql`INSERT INTO presence (user_nid, state, status_message, last_active_ms, position)
        VALUES (${presence.userNid}, ${PRESENCE_CODES[presence.state]}, ${presence.statusMessage ?? null},
          ${presence.lastActiveMs}, ${position()})
        ON CONFLICT (user_nid) DO UPDATE SET state = excluded.state, status_message = excluded.status_message,
          last_active_ms = excluded.last_active_ms, position = excluded.position`,
    { changes: 1 },
  )
}

export function deletePresence(userNid: number): Statement {
  return statement(sql`DELETE FROM presence WHERE user_nid = ${userNid}`)
}
