/**
 * Wakes the members of a room for receipts. Every member reads every message: in a large room waking all of them for
 * each receipt would cost the square of its size.
 */
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Streams } from '../streams/streams.ts'
import { pauseMs } from '../sync/pace.ts'

export type ReceiptMove = {
  readonly roomNid: number
  readonly position: number
  readonly userNid: number
  readonly joined: ReadonlySet<number>
}

export type ReceiptWaker = Disposable & {
  /** Call in `publish`: the room has changed, the user's own devices are woken now and the others soon. */
  moved(move: ReceiptMove): void
}

/** Up to so many members are woken at once. */
const SMALL_ROOM_MEMBERS = 20

export function openReceiptWaker(deps: { readonly clock: Clock; readonly streams: Streams }): ReceiptWaker {
  const timers = new Map<number, Disposable>()

  function changed({ roomNid, position }: ReceiptMove, woken: ReadonlySet<number>): void {
    deps.streams.roomChanged({ roomNid, position, joined: woken, membershipChanged: [] })
  }

  return {
    moved: (move) => {
      const { joined, roomNid, userNid } = move
      if (joined.size <= SMALL_ROOM_MEMBERS) {
        changed(move, joined)
        return
      }
      changed(move, new Set([userNid]))
      if (timers.has(roomNid)) return
      const wakeAll = (): void => {
        timers.delete(roomNid)
        changed(move, joined)
      }
      timers.set(roomNid, deps.clock.after(pauseMs(joined.size), wakeAll))
    },
    [Symbol.dispose]: () => {
      for (const timer of timers.values()) timer[Symbol.dispose]()
    },
  }
}
