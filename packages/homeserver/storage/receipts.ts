/** SQL of receipts. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { position, sql } from '@holdfast/platform/database/sql'

/** `receipts.type`. */
export const RECEIPT_CODES = { 'm.read': 1, 'm.read.private': 2 } as const
export type ReceiptType = keyof typeof RECEIPT_CODES

/** `receipts.thread_nid` where it is not the root of a thread. */
export const NO_THREAD = 0
export const MAIN_TIMELINE = -1

export type ReceiptKey = {
  readonly roomNid: number
  readonly userNid: number
  readonly type: ReceiptType
  readonly threadNid: number
}

export type ReceiptRow = { event_position: number; position: number }

export function receiptRow(db: Reader, key: ReceiptKey): Promise<ReceiptRow | undefined> {
  return db.row<ReceiptRow>(
    sql`SELECT event_position, position FROM receipts
        WHERE room_nid = ${key.roomNid} AND user_nid = ${key.userNid} AND type = ${RECEIPT_CODES[key.type]}
          AND thread_nid = ${key.threadNid}`,
  )
}

/**
 * Moves a receipt, at the position of offset 0. Breaks its expectation if the row is not the one of `fromPosition`
 * (0: no row) any more.
 */
export function moveReceipt(
  key: ReceiptKey,
  to: {
    readonly eventNid: number
    readonly eventPosition: number
    readonly receivedMs: number
    readonly fromPosition: number
  },
): Statement {
  const type = RECEIPT_CODES[key.type]
  return statement(
    sql`INSERT INTO receipts (room_nid, user_nid, type, thread_nid, event_nid, event_position, received_ms, position)
        SELECT ${key.roomNid}, ${key.userNid}, ${type}, ${key.threadNid}, ${to.eventNid}, ${to.eventPosition},
          ${to.receivedMs}, ${position()}
        WHERE ${to.fromPosition} = COALESCE((SELECT position FROM receipts
          WHERE room_nid = ${key.roomNid} AND user_nid = ${key.userNid} AND type = ${type}
            AND thread_nid = ${key.threadNid}), 0)
        ON CONFLICT (room_nid, user_nid, type, thread_nid) DO UPDATE SET event_nid = excluded.event_nid,
          event_position = excluded.event_position, received_ms = excluded.received_ms, position = excluded.position`,
    { changes: 1 },
  )
}

export type ShownReceiptRow = {
  user_id: string
  user_nid: number
  type: number
  thread_nid: number
  /** Of the thread's root; NULL where there is none. */
  thread_id: string | null
  event_id: string
  received_ms: number
}

/** Receipts of a room in (after, upTo], as one of its members may see them: private ones only of this reader. */
export function receiptsShownTo(
  db: Reader,
  range: { readonly roomNid: number; readonly readerNid: number; readonly after: number; readonly upTo: number },
): Promise<readonly ShownReceiptRow[]> {
  return db.all<ShownReceiptRow>(
    sql`SELECT u.user_id, r.user_nid, r.type, r.thread_nid, t.event_id AS thread_id, e.event_id, r.received_ms
        FROM receipts r JOIN events e ON e.event_nid = r.event_nid JOIN users u ON u.user_nid = r.user_nid
          LEFT JOIN events t ON t.event_nid = r.thread_nid
        WHERE r.room_nid = ${range.roomNid} AND r.position > ${range.after} AND r.position <= ${range.upTo}
          AND (r.type = 1 OR r.user_nid = ${range.readerNid})
        ORDER BY r.position, r.user_nid, r.type, r.thread_nid`,
  )
}

export function deleteReceiptsOfUser(userNid: number): Statement {
  return statement(sql`DELETE FROM receipts WHERE user_nid = ${userNid}`)
}
