/** SQL of who has to be told that a user's devices or keys changed. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { integerList, position, sql } from '@holdfast/platform/database/sql'
import { MEMBERSHIP_CODES } from './memberships.ts'

export function setDeviceListChange(userNid: number, positionOffset: number): Statement {
  return statement(
    sql`INSERT INTO device_list_changes (user_nid, position) VALUES (${userNid}, ${position(positionOffset)})
        ON CONFLICT (user_nid) DO UPDATE SET position = excluded.position`,
  )
}

export type DeviceListChangeRow = { user_nid: number; position: number }

/** Each user once, in the order of their newest changes. */
export function deviceListChanges(
  db: Reader,
  range: { readonly after: number; readonly limit: number },
): Promise<readonly DeviceListChangeRow[]> {
  return db.all<DeviceListChangeRow>(
    sql`SELECT user_nid, position FROM device_list_changes WHERE position > ${range.after}
        ORDER BY position LIMIT ${range.limit}`,
  )
}

export function setPrivateKeyChange(
  change: { readonly readerNid: number; readonly userNid: number },
  positionOffset: number,
): Statement {
  return statement(
    sql`INSERT INTO private_key_changes (reader_nid, user_nid, position)
        VALUES (${change.readerNid}, ${change.userNid}, ${position(positionOffset)})
        ON CONFLICT (reader_nid, user_nid) DO UPDATE SET position = excluded.position`,
  )
}

export function privateKeyChanges(
  db: Reader,
  range: { readonly readerNid: number; readonly after: number },
): Promise<readonly number[]> {
  return db.column(
    sql`SELECT user_nid FROM private_key_changes WHERE reader_nid = ${range.readerNid} AND position > ${range.after}
        ORDER BY user_nid`,
  )
}

export function deletePrivateKeyChanges(readerNid: number): Statement {
  return statement(sql`DELETE FROM private_key_changes WHERE reader_nid = ${readerNid}`)
}

/** `deviceId` undefined: the cross-signing keys changed. */
export function insertDeviceListUpdate(
  update: { readonly userNid: number; readonly deviceId: string | undefined },
  positionOffset: number,
): Statement {
  return statement(
    sql`INSERT INTO device_list_updates (position, user_nid, device_id, previous)
        VALUES (${position(positionOffset)}, ${update.userNid}, ${update.deviceId ?? null},
          (SELECT MAX(position) FROM device_list_updates
            WHERE user_nid = ${update.userNid} AND device_id IS NOT NULL))`,
    { changes: 1 },
  )
}

/** Keeps the newest updates of a user. */
export function pruneDeviceListUpdates(userNid: number, kept: number): Statement {
  return statement(
    sql`DELETE FROM device_list_updates WHERE user_nid = ${userNid} AND position <=
        (SELECT position FROM device_list_updates WHERE user_nid = ${userNid}
          ORDER BY position DESC LIMIT 1 OFFSET ${kept})`,
  )
}

export type DeviceListUpdateRow = {
  position: number
  user_nid: number
  device_id: string | null
  previous: number | null
}

/** Of all local users in (after, upTo]. */
export function deviceListUpdates(
  db: Reader,
  range: { readonly after: number; readonly upTo: number; readonly limit: number },
): Promise<readonly DeviceListUpdateRow[]> {
  return db.all<DeviceListUpdateRow>(
    sql`SELECT position, user_nid, device_id, previous FROM device_list_updates
        WHERE position > ${range.after} AND position <= ${range.upTo} ORDER BY position LIMIT ${range.limit}`,
  )
}

export function newestUpdateOfDevice(db: Reader, userNid: number): Promise<DeviceListUpdateRow | undefined> {
  return db.row<DeviceListUpdateRow>(
    sql`SELECT position, user_nid, device_id, previous FROM device_list_updates
        WHERE user_nid = ${userNid} AND device_id IS NOT NULL ORDER BY position DESC LIMIT 1`,
  )
}

/** Position of the newest update of a device of the user; 0 if there was none. */
export async function newestDeviceUpdate(db: Reader, userNid: number): Promise<number> {
  const row = await db.row<{ position: number }>(
    sql`SELECT COALESCE(MAX(position), 0) AS position FROM device_list_updates
        WHERE user_nid = ${userNid} AND device_id IS NOT NULL`,
  )
  return row!.position
}

export type MoveRow = { room_nid: number; user_nid: number }

/**
 * Whose membership of a room changed after a position: in the rooms that a user is in, and that they came into or
 * went out of since. Reads the members of those rooms that anything happened in.
 */
export function movesAround(
  db: Reader,
  of: { readonly userNid: number; readonly after: number },
): Promise<readonly MoveRow[]> {
  return db.all<MoveRow>(
    sql`SELECT m.room_nid, m.user_nid FROM memberships mine
          JOIN rooms r ON r.room_nid = mine.room_nid AND r.last_position > ${of.after}
          JOIN memberships m ON m.room_nid = mine.room_nid AND m.position > ${of.after}
        WHERE mine.user_nid = ${of.userNid}
          AND (mine.membership = ${MEMBERSHIP_CODES.join} OR mine.position > ${of.after})
        ORDER BY m.room_nid, m.user_nid`,
  )
}

/** Users of this server who came into a room after a position, or have a new name there since. */
export function localJoins(db: Reader, after: number): Promise<readonly MoveRow[]> {
  return db.all<MoveRow>(
    sql`SELECT m.room_nid, m.user_nid FROM accounts a JOIN memberships m ON m.user_nid = a.user_nid
        WHERE m.membership = ${MEMBERSHIP_CODES.join} AND m.position > ${after}
        ORDER BY m.position`,
  )
}

export type OwnedDeviceRow = { user_nid: number; device_nid: number; device_id: string }

export function ownedDevices(db: Reader, deviceNids: readonly number[]): Promise<readonly OwnedDeviceRow[]> {
  return db.all<OwnedDeviceRow>(
    sql`SELECT user_nid, device_nid, device_id FROM devices WHERE device_nid IN ${integerList(deviceNids)}
        ORDER BY device_nid`,
  )
}

/** Since when at least one user of this server is in each of some rooms; a later change of their profile counts as a join. */
export function firstLocalJoins(
  db: Reader,
  roomNids: readonly number[],
): Promise<readonly { room_nid: number; position: number }[]> {
  return db.all(
    sql`SELECT m.room_nid, MIN(m.position) AS position FROM memberships m
          JOIN accounts a ON a.user_nid = m.user_nid
        WHERE m.room_nid IN ${integerList(roomNids)} AND m.membership = ${MEMBERSHIP_CODES.join}
        GROUP BY m.room_nid ORDER BY m.room_nid`,
  )
}

/** What some users are in one room. */
export function membershipsOfUsers(
  db: Reader,
  of: { readonly roomNid: number; readonly userNids: readonly number[] },
): Promise<readonly { user_nid: number; membership: number; event_nid: number }[]> {
  return db.all(
    sql`SELECT user_nid, membership, event_nid FROM memberships
        WHERE room_nid = ${of.roomNid} AND user_nid IN ${integerList(of.userNids)} ORDER BY user_nid`,
  )
}
