/** SQL of devices. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { integerList, sql } from '@holdfast/platform/database/sql'

export type DeviceRow = {
  device_nid: number
  device_id: string
  /** Escaped text. */
  display_name: string | null
  last_seen_ms: number | null
  last_seen_address: string | null
}

export type DeviceKey = { readonly userNid: number; readonly deviceId: string }

export function devicesOf(db: Reader, userNid: number): Promise<readonly DeviceRow[]> {
  return db.all<DeviceRow>(
    sql`SELECT device_nid, device_id, display_name, last_seen_ms, last_seen_address FROM devices
        WHERE user_nid = ${userNid} ORDER BY device_nid`,
  )
}

export function deviceOf(db: Reader, key: DeviceKey): Promise<DeviceRow | undefined> {
  return db.row<DeviceRow>(
    sql`SELECT device_nid, device_id, display_name, last_seen_ms, last_seen_address FROM devices
        WHERE user_nid = ${key.userNid} AND device_id = ${key.deviceId}`,
  )
}

/** Breaks its expectation if the user has a device of this id. */
export function insertDevice(
  device: DeviceKey & {
    readonly deviceNid: number
    readonly displayName: string | undefined
    readonly createdMs: number
  },
): Statement {
  return statement(
    sql`INSERT INTO devices (device_nid, user_nid, device_id, display_name, created_ms, last_seen_ms, last_seen_address)
        VALUES (${device.deviceNid}, ${device.userNid}, ${device.deviceId}, ${device.displayName ?? null},
          ${device.createdMs}, NULL, NULL)
        ON CONFLICT DO NOTHING`,
    { changes: 1 },
  )
}

/** Changes nothing; breaks its expectation if the device is gone. */
export function requireDevice(deviceNid: number): Statement {
  return statement(sql`UPDATE devices SET device_nid = device_nid WHERE device_nid = ${deviceNid}`, { changes: 1 })
}

/** Breaks its expectation if there is no such device. */
export function renameDevice(deviceNid: number, displayName: string): Statement {
  return statement(sql`UPDATE devices SET display_name = ${displayName} WHERE device_nid = ${deviceNid}`, {
    changes: 1,
  })
}

export function setDeviceSeen(seen: {
  readonly deviceNid: number
  readonly atMs: number
  readonly address: string
}): Statement {
  return statement(
    sql`UPDATE devices SET last_seen_ms = ${seen.atMs}, last_seen_address = ${seen.address}
        WHERE device_nid = ${seen.deviceNid}`,
  )
}

export function deleteDevices(deviceNids: readonly number[]): Statement {
  return statement(sql`DELETE FROM devices WHERE device_nid IN ${integerList(deviceNids)}`)
}
