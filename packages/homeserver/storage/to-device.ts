/** SQL of messages that wait for devices. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { integerList, position, sql } from '@holdfast/platform/database/sql'

export type ToDeviceRow = { position: number; message: string }

/** Takes the position of offset 0; does nothing if the device is gone. */
export function insertToDevice(deviceNid: number, message: string): Statement {
  return statement(
    sql`INSERT INTO to_device (device_nid, position, message)
        SELECT device_nid, ${position()}, ${message} FROM devices WHERE device_nid = ${deviceNid}`,
  )
}

/** Messages of a device in (after, upTo], in the order of their arrival. */
export function pendingToDevice(
  db: Reader,
  range: { readonly deviceNid: number; readonly after: number; readonly upTo: number; readonly limit: number },
): Promise<readonly ToDeviceRow[]> {
  return db.all<ToDeviceRow>(
    sql`SELECT position, message FROM to_device
        WHERE device_nid = ${range.deviceNid} AND position > ${range.after} AND position <= ${range.upTo}
        ORDER BY position LIMIT ${range.limit}`,
  )
}

/** The oldest message that waits for a device. */
export function oldestToDevice(db: Reader, deviceNid: number): Promise<{ position: number } | undefined> {
  return db.row(sql`SELECT position FROM to_device WHERE device_nid = ${deviceNid} ORDER BY position LIMIT 1`)
}

export function deleteToDeviceUpTo(acknowledged: { readonly deviceNid: number; readonly upTo: number }): Statement {
  return statement(
    sql`DELETE FROM to_device WHERE device_nid = ${acknowledged.deviceNid} AND position <= ${acknowledged.upTo}`,
  )
}

/** Only the newest stay. */
export function deleteOldestToDevice(row: { readonly deviceNid: number; readonly kept: number }): Statement {
  return statement(
    sql`DELETE FROM to_device WHERE device_nid = ${row.deviceNid} AND position <=
        (SELECT position FROM to_device WHERE device_nid = ${row.deviceNid}
          ORDER BY position DESC LIMIT 1 OFFSET ${row.kept})`,
  )
}

export function deleteToDeviceOfDevices(deviceNids: readonly number[]): Statement {
  return statement(sql`DELETE FROM to_device WHERE device_nid IN ${integerList(deviceNids)}`)
}

export type TargetDeviceRow = { user_nid: number; device_nid: number; device_id: string }

/** All devices of some users. */
export function devicesOfUsers(db: Reader, userNids: readonly number[]): Promise<readonly TargetDeviceRow[]> {
  return db.all<TargetDeviceRow>(
    sql`SELECT user_nid, device_nid, device_id FROM devices WHERE user_nid IN ${integerList(userNids)}
        ORDER BY user_nid, device_nid`,
  )
}

/** Breaks its expectation if the message was received before. */
export function insertReceivedMessage(row: {
  readonly serverName: string
  /** Escaped text. */
  readonly messageId: string
  readonly receivedMs: number
}): Statement {
  return statement(
    sql`INSERT INTO received_to_device (server_name, message_id, received_ms)
        VALUES (${row.serverName}, ${row.messageId}, ${row.receivedMs}) ON CONFLICT DO NOTHING`,
    { changes: 1 },
  )
}

/** When the one after the first `skip` of those received before a time was received. */
export function receivedMessageAfter(
  db: Reader,
  { skip, before }: { readonly skip: number; readonly before: number },
): Promise<{ received_ms: number } | undefined> {
  return db.row(
    sql`SELECT received_ms FROM received_to_device WHERE received_ms < ${before}
        ORDER BY received_ms LIMIT 1 OFFSET ${skip}`,
  )
}

export function deleteReceivedMessages(upToMs: number): Statement {
  return statement(sql`DELETE FROM received_to_device WHERE received_ms <= ${upToMs}`)
}
