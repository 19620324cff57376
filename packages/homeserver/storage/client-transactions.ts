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

export function deleteClientTransactionsBefore(ms: number): Statement {
  return statement(sql`DELETE FROM client_transactions WHERE created_ms < ${ms}`)
}

export function deleteClientTransactionsOfDevice(deviceNid: number): Statement {
  return statement(sql`DELETE FROM client_transactions WHERE device_nid = ${deviceNid}`)
}
