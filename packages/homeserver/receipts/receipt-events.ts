/** Receipts of a room as they stand in a sync: one `m.receipt` event for each thread. */
import type { UserId } from '@holdfast/protocol/ids/brand'
import { MAIN_TIMELINE, RECEIPT_CODES, receiptsShownTo, type ShownReceiptRow } from '../storage/receipts.ts'
import type { Homeserver } from '../homeserver.ts'

export type ReceiptQuery = {
  readonly roomNid: number
  readonly reader: { readonly userNid: number }
  readonly ignored: ReadonlySet<UserId>
  /** Exclusive; undefined: from the beginning. */
  readonly after: number | undefined
  readonly upTo: number
}

/** In larger rooms all receipts at once are a read that may hold others up. */
const MEMBERS_READ_AT_ONCE = 200

/** The contents of the `m.receipt` events, as JSON text. */
export async function receiptContents(
  deps: Pick<Homeserver, 'db' | 'heads' | 'receiptPositions'>,
  query: ReceiptQuery,
): Promise<readonly string[]> {
  const { roomNid, after } = query
  if (after !== undefined && !deps.receiptPositions.mayHaveMoved(roomNid, after)) return []
  const isHeavy = after === undefined && (deps.heads.peek(roomNid)?.members.joined.size ?? 0) > MEMBERS_READ_AT_ONCE
  const range = { roomNid, readerNid: query.reader.userNid, after: after ?? 0, upTo: query.upTo }
  const rows = await receiptsShownTo(isHeavy ? deps.db.heavy : deps.db, range)
  const byThread = Map.groupBy(
    rows.filter((row) => !query.ignored.has(row.user_id as UserId)),
    (row) => row.thread_nid,
  )
  return [...byThread.values()].map(contentText)
}

const TYPES = new Map(Object.entries(RECEIPT_CODES).map(([type, code]) => [code as number, type]))

/** Event id → type → user id → receipt, as text: ids of members may be any word, `__proto__` included. */
function contentText(rows: readonly ShownReceiptRow[]): string {
  return objectText(
    rows,
    (row) => row.event_id,
    (ofEvent) =>
      objectText(
        ofEvent,
        (row) => TYPES.get(row.type)!,
        (ofType) =>
          objectText(
            ofType,
            (row) => row.user_id,
            ([row]) => receiptText(row!),
          ),
      ),
  )
}

function objectText(
  rows: readonly ShownReceiptRow[],
  keyOf: (row: ShownReceiptRow) => string,
  valueOf: (rows: readonly ShownReceiptRow[]) => string,
): string {
  const members = [...Map.groupBy(rows, keyOf)].map(([key, group]) => `${JSON.stringify(key)}:${valueOf(group)}`)
  return `{${members.join(',')}}`
}

function receiptText(row: ShownReceiptRow): string {
  const thread = row.thread_nid === MAIN_TIMELINE ? 'main' : row.thread_id
  return JSON.stringify({ ts: row.received_ms, ...(thread === null ? {} : { thread_id: thread }) })
}
