/** SQL of requests that were answered before, so that a repeated transaction id gets the same answer. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'

export type TransactionKey = { readonly deviceNid: number; readonly requestHash: number }

export function clientTransaction(db: Reader, key: TransactionKey): Promise<{ event_nid: number } | undefined> {
  return db.row(
    sql`SELECT event_nid FROM client_transactions
        WHERE device_nid = ${key.deviceNid} AND request_hash = ${key.requestHash}`,
  )
}

/** `eventNid` is 0 where the answer is {}. Breaks its expectation if the transaction was answered already. */
export function insertClientTransaction(
  key: TransactionKey & { readonly eventNid: number; readonly createdMs: number },
): Statement {
  return statement(
    sql`INSERT INTO client_transactions (device_nid, request_hash, event_nid, created_ms)
        VALUES (${key.deviceNid}, ${key.requestHash}, ${key.eventNid}, ${key.createdMs}) ON CONFLICT DO NOTHING`,
    { changes: 1 },
  )
}

export function deleteClientTransactionsOfDevice(deviceNid: number): Statement {
  return statement(sql`DELETE FROM client_transactions WHERE device_nid = ${deviceNid}`)
}

export type TransactionRange = {
  /** Exclusive; device nids begin at 1. */
  readonly after: TransactionKey
  readonly limit: number
  readonly before: number
}

/** Keys of the next rows in key order, and whether one of them is older than `before` (ms since the epoch). */
export async function nextTransactions(
  db: Reader,
  range: TransactionRange,
): Promise<readonly { device_nid: number; request_hash: number; is_old: number }[]> {
  return db.all(
    sql`SELECT device_nid, request_hash, CASE WHEN created_ms < ${range.before} THEN 1 ELSE 0 END AS is_old
        FROM client_transactions
        WHERE (device_nid, request_hash) > (${range.after.deviceNid}, ${range.after.requestHash})
        ORDER BY device_nid, request_hash LIMIT ${range.limit}`,
  )
}

/** Deletes what is older than `before` among the keys in (after, upTo]. */
export function deleteOldTransactions(range: {
  readonly after: TransactionKey
  readonly upTo: TransactionKey
  readonly before: number
}): Statement {
  return statement(
    sql`DELETE FROM client_transactions
        WHERE (device_nid, request_hash) > (${range.after.deviceNid}, ${range.after.requestHash})
          AND (device_nid, request_hash) <= (${range.upTo.deviceNid}, ${range.upTo.requestHash})
          AND created_ms < ${range.before}`,
  )
}
