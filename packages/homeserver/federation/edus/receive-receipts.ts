/** `m.receipt` of other servers. <https://spec.matrix.org/v1.19/server-server-api/#receipts> */
import { ExpectationFailed, type Statement } from '@holdfast/platform/database/database'
import { MatrixError } from '@holdfast/protocol/errors'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { parseEventId } from '@holdfast/protocol/ids/event-id'
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../../homeserver.ts'
import type { RoomHead } from '../../rooms/room-heads.ts'
import { parseThread, threadNid } from '../../receipts/thread.ts'
import { HIDDEN_FLAGS } from '../../storage/events.ts'
import { moveReceipt, receiptRow, type ReceiptKey } from '../../storage/receipts.ts'
import { memberNid, ownUser, sharedRoom } from './edu-origin.ts'
import type { EduReceiver } from './receive-edus.ts'

/** Of one EDU. What is more comes with the next receipts of these users. */
const ROOMS_MAX = 100
const RECEIPTS_MAX = 500

/** The same receipts may move by two transactions of their server at once. */
const TRIES_MAX = 5

type Placed = {
  readonly key: ReceiptKey
  readonly eventNid: number
  readonly eventPosition: number
  readonly receivedMs: number
}

export const receiveReceipts: EduReceiver = async (deps, origin, content) => {
  let left = RECEIPTS_MAX
  for (const [roomId, byType] of Object.entries(content).slice(0, ROOMS_MAX)) {
    // Other types are private to a server, whatever it tells of them.
    const byUser = isObject(byType) ? byType['m.read'] : undefined
    const head = isObject(byUser) ? await sharedRoom(deps, origin, roomId) : undefined
    if (head === undefined) continue
    const entries = Object.entries(byUser as JsonObject).slice(0, left)
    left -= entries.length
    const receipts: Placed[] = []
    for (const [userId, said] of entries) {
      const receipt = await placed(deps, { origin, head }, { userId, said })
      if (receipt !== undefined) receipts.push(receipt)
    }
    await moveAll(deps, head, receipts)
  }
}

/** Undefined for what says nothing that we could show: of a stranger, or of an event that has not come yet. */
async function placed(
  deps: Homeserver,
  { origin, head }: { readonly origin: ServerName; readonly head: RoomHead },
  { userId: rawUser, said }: { readonly userId: string; readonly said: JsonValue },
): Promise<Placed | undefined> {
  const userId = ownUser(origin, rawUser)
  const { event_ids: ids, data } = isObject(said) ? said : {}
  const [rawEvent] = Array.isArray(ids) ? (ids as readonly JsonValue[]) : []
  const eventId = typeof rawEvent === 'string' ? parseEventId(rawEvent) : undefined
  if (userId === undefined || eventId === undefined) return undefined
  const userNid = await memberNid(deps, head, userId)
  const event = userNid === undefined ? undefined : await deps.events.inRoom(head.roomNid, eventId)
  if (userNid === undefined || event === undefined || (event.flags & HIDDEN_FLAGS) !== 0) return undefined
  const { ts, thread_id: rawThread } = isObject(data) ? data : {}
  if (rawThread !== undefined && typeof rawThread !== 'string') return undefined
  try {
    const thread = await threadNid(deps, event, parseThread(rawThread))
    const key = { roomNid: head.roomNid, userNid, type: 'm.read', threadNid: thread } as const
    return { key, eventNid: event.nid, eventPosition: event.position, receivedMs: timeOf(ts, deps.clock.nowMs()) }
  } catch (error) {
    // A thread that the event is not in.
    if (error instanceof MatrixError) return undefined
    throw error
  }
}

/** When somebody read is what their server says; it cannot be later than now. */
function timeOf(ts: JsonValue | undefined, nowMs: number): number {
  return typeof ts === 'number' && Number.isSafeInteger(ts) && ts >= 0 ? Math.min(ts, nowMs) : nowMs
}

async function moveAll(deps: Homeserver, head: RoomHead, receipts: readonly Placed[]): Promise<void> {
  for (let tries = 0; tries < TRIES_MAX; tries += 1) if (await tryToMove(deps, head, receipts)) return
}

/** @returns false if one of them was moved by somebody else meanwhile */
async function tryToMove(deps: Homeserver, head: RoomHead, receipts: readonly Placed[]): Promise<boolean> {
  const moves: Statement[] = []
  for (const { key, ...to } of receipts) {
    const row = await receiptRow(deps.db, key)
    if (row !== undefined && row.event_position >= to.eventPosition) continue
    moves.push(moveReceipt(key, { ...to, fromPosition: row?.position ?? 0 }))
  }
  if (moves.length === 0) return true
  const { roomNid, members } = head
  const { userNid } = receipts[0]!.key
  try {
    await deps.streams.commit(moves, {
      positions: 1,
      publish: (position) => {
        deps.receiptPositions.moved(roomNid, position)
        deps.receiptWaker.moved({ roomNid, position, userNid, joined: members.joined })
      },
    })
    return true
  } catch (error) {
    if (error instanceof ExpectationFailed) return false
    throw error
  }
}
