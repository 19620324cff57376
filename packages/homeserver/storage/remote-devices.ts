/** SQL of what other servers told of their users' devices. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { integerList, position, sql } from '@holdfast/platform/database/sql'

export type RemoteListRow = { user_nid: number; stream_id: number; is_stale: number; position: number }

export function remoteLists(db: Reader, userNids: readonly number[]): Promise<readonly RemoteListRow[]> {
  return db.all<RemoteListRow>(
    sql`SELECT user_nid, stream_id, is_stale, position FROM remote_device_lists
        WHERE user_nid IN ${integerList(userNids)} ORDER BY user_nid`,
  )
}

/** `position`: up to where changes of memberships were known when it was asked for. */
export function setRemoteList(list: {
  readonly userNid: number
  readonly streamId: number
  readonly position: number
}): Statement {
  return statement(
    sql`INSERT INTO remote_device_lists (user_nid, stream_id, is_stale, position)
        VALUES (${list.userNid}, ${list.streamId}, 0, ${list.position})
        ON CONFLICT (user_nid) DO UPDATE SET stream_id = excluded.stream_id, is_stale = 0, position = excluded.position`,
  )
}

/** Goes on from one update to the next, at the position of offset 0; breaks its expectation if the list moved meanwhile. */
export function advanceRemoteList(list: {
  readonly userNid: number
  readonly fromStreamId: number
  readonly streamId: number
}): Statement {
  return statement(
    sql`UPDATE remote_device_lists SET stream_id = ${list.streamId}, position = ${position()}
        WHERE user_nid = ${list.userNid} AND stream_id = ${list.fromStreamId} AND is_stale = 0`,
    { changes: 1 },
  )
}

export function setRemoteListsStale(userNids: readonly number[]): Statement {
  return statement(sql`UPDATE remote_device_lists SET is_stale = 1 WHERE user_nid IN ${integerList(userNids)}`)
}

export type RemoteDeviceRow = {
  user_nid: number
  device_id: string
  keys: string | null
  display_name: string | null
}

export function remoteDevices(db: Reader, userNids: readonly number[]): Promise<readonly RemoteDeviceRow[]> {
  return db.all<RemoteDeviceRow>(
    sql`SELECT user_nid, device_id, keys, display_name FROM remote_devices
        WHERE user_nid IN ${integerList(userNids)} ORDER BY user_nid, device_id`,
  )
}

export function setRemoteDevice(device: {
  readonly userNid: number
  readonly deviceId: string
  readonly keys: string | undefined
  /** Escaped text. */
  readonly displayName: string | undefined
}): Statement {
  return statement(
    sql`INSERT INTO remote_devices (user_nid, device_id, keys, display_name)
        VALUES (${device.userNid}, ${device.deviceId}, ${device.keys ?? null}, ${device.displayName ?? null})
        ON CONFLICT (user_nid, device_id) DO UPDATE SET keys = excluded.keys, display_name = excluded.display_name`,
  )
}

export function deleteRemoteDevice(device: { readonly userNid: number; readonly deviceId: string }): Statement {
  return statement(
    sql`DELETE FROM remote_devices WHERE user_nid = ${device.userNid} AND device_id = ${device.deviceId}`,
  )
}

export function deleteRemoteDevices(userNid: number): Statement {
  return statement(sql`DELETE FROM remote_devices WHERE user_nid = ${userNid}`)
}

/** Also where there was no list: then nothing is known but that there are devices. */
export function insertStaleList(userNid: number): Statement {
  return statement(
    sql`INSERT INTO remote_device_lists (user_nid, stream_id, is_stale, position) VALUES (${userNid}, 0, 1, 0)
        ON CONFLICT (user_nid) DO UPDATE SET is_stale = 1`,
  )
}
