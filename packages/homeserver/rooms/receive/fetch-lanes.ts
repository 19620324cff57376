/** What events lack is fetched for one of them after the other in each room; but whoever answers slowly holds nobody up for long. */
import type { RoomId } from '@holdfast/protocol/ids/brand'
import type { Clock } from '@holdfast/platform/clock/clock'
import type { RoomInboxes } from './room-inboxes.ts'

export type FetchLanes = {
  /** undefined: the signal came before the work's turn. */
  run<T>(roomId: RoomId, work: () => Promise<T>, signal: AbortSignal): Promise<T | undefined>
}

/** After that the next does not wait for it any more. */
export const SLOW_MS = 10_000
/** Of one room, slow ones included. */
const AT_ONCE_MAX = 4

type Lane = { readonly waiting: Set<() => void>; running: number; isHeld: boolean }

type LaneDeps = { readonly clock: Clock; readonly inboxes: RoomInboxes }

/** Of each homeserver in this process. */
const lanesOf = new WeakMap<RoomInboxes, FetchLanes>()

export function fetchLanes(deps: LaneDeps): FetchLanes {
  const lanes = lanesOf.get(deps.inboxes) ?? openFetchLanes(deps.clock)
  lanesOf.set(deps.inboxes, lanes)
  return lanes
}

export function openFetchLanes(clock: Clock): FetchLanes {
  const lanes = new Map<RoomId, Lane>()

  return {
    run: async (roomId, work, signal) => {
      const lane = lanes.get(roomId) ?? { waiting: new Set(), running: 0, isHeld: false }
      lanes.set(roomId, lane)
      if (!(await turnIn(lane, signal))) return undefined
      let holds = true
      const letNextGo = (): void => {
        if (holds) lane.isHeld = false
        holds = false
        startNext(lane)
      }
      const timer = clock.after(SLOW_MS, letNextGo)
      try {
        return await work()
      } finally {
        timer[Symbol.dispose]()
        lane.running -= 1
        letNextGo()
        if (lane.running === 0 && lane.waiting.size === 0) lanes.delete(roomId)
      }
    },
  }
}

/** @returns whether it runs now */
async function turnIn(lane: Lane, signal: AbortSignal): Promise<boolean> {
  const turn = Promise.withResolvers<boolean>()
  const start = (): void => turn.resolve(true)
  const giveUp = (): void => {
    if (lane.waiting.delete(start)) turn.resolve(false)
  }
  lane.waiting.add(start)
  signal.addEventListener('abort', giveUp, { once: true })
  startNext(lane)
  if (signal.aborted) giveUp()
  const runs = await turn.promise
  signal.removeEventListener('abort', giveUp)
  return runs
}

function startNext(lane: Lane): void {
  const [next] = lane.waiting
  if (next === undefined || lane.isHeld || lane.running >= AT_ONCE_MAX) return
  lane.waiting.delete(next)
  lane.isHeld = true
  lane.running += 1
  next()
}
