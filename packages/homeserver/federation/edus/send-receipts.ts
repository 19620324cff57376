/**
 * Tells the other servers of a room how far our users have read it: many users in one EDU, and never what is private.
 * <https://spec.matrix.org/v1.19/server-server-api/#receipts>
 */
import type { EventId, UserId } from '@holdfast/protocol/ids/brand'
import { emptyObject, type JsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../../homeserver.ts'

export type PublicReceipt = {
  readonly roomNid: number
  readonly userId: UserId
  readonly eventId: EventId
  /** `main` or the root of a thread. */
  readonly threadId: string | undefined
  readonly atMs: number
}

export type ReceiptSender = Disposable & {
  moved(receipt: PublicReceipt): void
}

const PAUSE_MS_MIN = 200
const PAUSE_MS_MAX = 5_000
/** A room with many servers is told less often. */
const PAUSE_MS_PER_SERVER = 5

export type ReceiptSenderDeps = Pick<Homeserver, 'clock' | 'log' | 'heads' | 'outbox'>

/** By thread, then by user: an EDU has one receipt of each user. */
type Waiting = Map<string | undefined, Map<UserId, PublicReceipt>>

export function openReceiptSender(deps: ReceiptSenderDeps): ReceiptSender {
  const waiting = new Map<number, Waiting>()
  const timers = new Map<number, Disposable>()
  let sent = 0

  async function flush(roomNid: number): Promise<void> {
    timers.delete(roomNid)
    const receipts = waiting.get(roomNid)
    waiting.delete(roomNid)
    const { members, roomId } = await deps.heads.byNid(roomNid)
    for (const byUser of receipts?.values() ?? []) {
      sent += 1
      const key = `receipts ${sent}`
      deps.outbox.sendEphemeral(members.servers.keys(), {
        key,
        eduType: 'm.receipt',
        content: contentOf(roomId, [...byUser.values()]),
      })
    }
  }

  function flushSoon(roomNid: number): void {
    if (timers.has(roomNid)) return
    const servers = deps.heads.peek(roomNid)?.members.servers.size ?? 0
    const pauseMs = Math.min(Math.max(servers * PAUSE_MS_PER_SERVER, PAUSE_MS_MIN), PAUSE_MS_MAX)
    const timer = deps.clock.after(pauseMs, () => {
      flush(roomNid).catch((error: Error) =>
        deps.log.warn({ error: error.message }, 'cannot tell other servers what was read'),
      )
    })
    timers.set(roomNid, timer)
  }

  return {
    moved: (receipt) => {
      const { roomNid, threadId, userId } = receipt
      // Nobody else is in the room.
      if (deps.heads.peek(roomNid)?.members.servers.size === 0) return
      const room: Waiting = waiting.get(roomNid) ?? new Map()
      waiting.set(roomNid, room)
      const thread = room.get(threadId) ?? new Map<UserId, PublicReceipt>()
      room.set(threadId, thread)
      thread.set(userId, receipt)
      flushSoon(roomNid)
    },
    [Symbol.dispose]: () => {
      for (const timer of timers.values()) timer[Symbol.dispose]()
    },
  }
}

function contentOf(roomId: string, receipts: readonly PublicReceipt[]): JsonObject {
  const byUser = emptyObject()
  for (const { userId, eventId, threadId, atMs } of receipts) {
    const data = threadId === undefined ? { ts: atMs } : { ts: atMs, thread_id: threadId }
    byUser[userId] = { event_ids: [eventId], data }
  }
  return { [roomId]: { 'm.read': byUser } }
}
