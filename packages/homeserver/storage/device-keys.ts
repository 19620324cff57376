/** SQL of the identity keys of local devices. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { integerList, sql } from '@holdfast/platform/database/sql'

export function deviceKeys(db: Reader, deviceNid: number): Promise<{ keys: string } | undefined> {
  return db.row(sql`SELECT keys FROM device_keys WHERE device_nid = ${deviceNid}`)
}

export function setDeviceKeys(deviceNid: number, keys: string): Statement {
  return statement(
    sql`INSERT INTO device_keys (device_nid, keys) VALUES (${deviceNid}, ${keys})
        ON CONFLICT (device_nid) DO UPDATE SET keys = excluded.keys`,
  )
}

export type KeyedDeviceRow = {
  user_nid: number
  device_nid: number
  device_id: string
  display_name: string | null
  keys: string
}

/** The devices of some users that have keys. */
export function keyedDevices(db: Reader, userNids: readonly number[]): Promise<readonly KeyedDeviceRow[]> {
  return db.all<KeyedDeviceRow>(
    sql`SELECT d.user_nid, d.device_nid, d.device_id, d.display_name, k.keys
        FROM devices d JOIN device_keys k ON k.device_nid = d.device_nid
        WHERE d.user_nid IN ${integerList(userNids)} ORDER BY d.user_nid, d.device_nid`,
  )
}

export type SentDeviceRow = Omit<KeyedDeviceRow, 'keys'> & { keys: string | null }

/** All devices of some users, also those without keys. */
export function sentDevices(db: Reader, userNids: readonly number[]): Promise<readonly SentDeviceRow[]> {
  return db.all<SentDeviceRow>(
    sql`SELECT d.user_nid, d.device_nid, d.device_id, d.display_name, k.keys
        FROM devices d LEFT JOIN device_keys k ON k.device_nid = d.device_nid
        WHERE d.user_nid IN ${integerList(userNids)} ORDER BY d.user_nid, d.device_nid`,
  )
}

export function deleteDeviceKeys(deviceNids: readonly number[]): Statement {
  return statement(sql`DELETE FROM device_keys WHERE device_nid IN ${integerList(deviceNids)}`)
}
