/** SQL of the present membership of each user in each room. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { integerList, position, sql } from '@holdfast/platform/database/sql'
import { ACCOUNT_KINDS } from './accounts.ts'

/** `memberships.membership`. */
export const MEMBERSHIP_CODES = { join: 1, invite: 2, knock: 3, leave: 4, ban: 5 } as const
export type Membership = keyof typeof MEMBERSHIP_CODES

const NAMES: readonly (Membership | undefined)[] = [undefined, 'join', 'invite', 'knock', 'leave', 'ban']

export function membershipOfCode(code: number): Membership {
  const name = NAMES[code]
  if (name === undefined) throw new Error(`unknown membership code ${code} in the database`)
  return name
}

export type MembershipRow = {
  room_nid: number
  user_nid: number
  membership: number
  event_nid: number
  position: number
  forgotten: number
}

/** Sets a user's membership; a room that was forgotten is remembered again. */
export function setMembership(change: {
  readonly roomNid: number
  readonly userNid: number
  readonly membership: Membership
  readonly eventNid: number
  readonly positionOffset: number
}): Statement {
  const code = MEMBERSHIP_CODES[change.membership]
  return statement(
    sql`INSERT INTO memberships (room_nid, user_nid, membership, event_nid, position, forgotten)
        VALUES (${change.roomNid}, ${change.userNid}, ${code}, ${change.eventNid}, ${position(change.positionOffset)}, 0)
        ON CONFLICT (room_nid, user_nid) DO UPDATE SET membership = excluded.membership, event_nid = excluded.event_nid,
          position = excluded.position, forgotten = 0`,
    { changes: 1 },
  )
}

/**
 * As `setMembership` for the users whom these member events are about. The events are stored by then, and their state keys are
 * the users.
 */
export function setMembershipsByEvents(change: {
  readonly roomNid: number
  readonly membership: Membership
  readonly eventNids: readonly number[]
  readonly positionOffset: number
}): Statement {
  const code = MEMBERSHIP_CODES[change.membership]
  return statement(
    sql`INSERT INTO memberships (room_nid, user_nid, membership, event_nid, position, forgotten)
        SELECT events.room_nid, users.user_nid, ${code}, events.event_nid, ${position(change.positionOffset)}, 0
        FROM events JOIN state_keys ON state_keys.state_key_nid = events.state_key_nid
          JOIN users ON users.user_id = state_keys.state_key
        WHERE events.event_nid IN ${integerList(change.eventNids)} AND events.room_nid = ${change.roomNid}
        ON CONFLICT (room_nid, user_nid) DO UPDATE SET membership = excluded.membership, event_nid = excluded.event_nid,
          position = excluded.position, forgotten = 0`,
    { changes: change.eventNids.length },
  )
}

/** All of a user's memberships that are not forgotten, by room. */
export function membershipsOfUser(db: Reader, userNid: number): Promise<readonly MembershipRow[]> {
  return db.all<MembershipRow>(
    sql`SELECT room_nid, user_nid, membership, event_nid, position, forgotten FROM memberships
        WHERE user_nid = ${userNid} AND forgotten = 0 ORDER BY room_nid`,
  )
}

export function membershipInRoom(
  db: Reader,
  who: { readonly roomNid: number; readonly userNid: number },
): Promise<MembershipRow | undefined> {
  return db.row<MembershipRow>(
    sql`SELECT room_nid, user_nid, membership, event_nid, position, forgotten FROM memberships
        WHERE room_nid = ${who.roomNid} AND user_nid = ${who.userNid}`,
  )
}

/** The users with one of these memberships in a room. */
export function usersInRoom(
  db: Reader,
  query: { readonly roomNid: number; readonly memberships: readonly Membership[] },
): Promise<readonly { user_nid: number; membership: number; event_nid: number }[]> {
  const codes = query.memberships.map((membership) => MEMBERSHIP_CODES[membership])
  return db.all(
    sql`SELECT user_nid, membership, event_nid FROM memberships
        WHERE room_nid = ${query.roomNid} AND membership IN ${integerList(codes)} ORDER BY user_nid`,
  )
}

/** The guests of this server among the joined members of a room. */
export function joinedGuests(db: Reader, roomNid: number): Promise<readonly { user_id: string }[]> {
  return db.all(
    sql`SELECT users.user_id FROM memberships
        JOIN accounts ON accounts.user_nid = memberships.user_nid AND accounts.kind = ${ACCOUNT_KINDS.guest}
        JOIN users ON users.user_nid = memberships.user_nid
        WHERE memberships.room_nid = ${roomNid} AND memberships.membership = ${MEMBERSHIP_CODES.join}
        ORDER BY memberships.user_nid`,
  )
}

/** The rooms that guests of this server are in. */
export function roomsWithGuests(db: Reader): Promise<readonly { room_nid: number }[]> {
  return db.all(
    sql`SELECT DISTINCT memberships.room_nid FROM accounts
        JOIN memberships ON memberships.user_nid = accounts.user_nid AND memberships.membership = ${MEMBERSHIP_CODES.join}
        WHERE accounts.kind = ${ACCOUNT_KINDS.guest} ORDER BY memberships.room_nid`,
  )
}

/** Forgets a room the user has left or is banned from. */
export function forgetMembership(who: { readonly roomNid: number; readonly userNid: number }): Statement {
  return statement(
    sql`UPDATE memberships SET forgotten = 1 WHERE room_nid = ${who.roomNid} AND user_nid = ${who.userNid}
        AND membership IN (4, 5)`,
    { changes: 1 },
  )
}

/** Some of the users with one of these memberships in a room. */
export function usersInRoomLimited(
  db: Reader,
  query: { readonly roomNid: number; readonly memberships: readonly Membership[]; readonly limit: number },
): Promise<readonly { user_nid: number }[]> {
  const codes = query.memberships.map((membership) => MEMBERSHIP_CODES[membership])
  return db.all(
    sql`SELECT user_nid FROM memberships
        WHERE room_nid = ${query.roomNid} AND membership IN ${integerList(codes)} ORDER BY user_nid LIMIT ${query.limit}`,
  )
}
