/** A clock that stands still until it is told to advance, for tests and the simulator. */
import type { Clock } from './clock.ts'
import { clampTimerMs } from './system-clock.ts'

export type ManualClock = Clock & {
  /** Moves both clocks forward and fires what falls due, in order, letting promises settle after each timer. */
  advance(ms: number): Promise<void>
  /** Jumps the wall clock alone, as an operator or NTP would. Timers do not notice. */
  setNowMs(ms: number): void
  /** How many timers wait. */
  readonly pending: number
}

type Timer = { readonly dueMs: number; readonly order: number; readonly action: () => void }

/** 2018-08-16, the day of the specification we serve first: any fixed day would do. */
const DEFAULT_NOW_MS = 1_534_377_600_000

export function createManualClock(options: { readonly nowMs?: number } = {}): ManualClock {
  const timers = new Set<Timer>()
  let elapsedMs = 0
  let wallOffsetMs = options.nowMs ?? DEFAULT_NOW_MS
  let order = 0

  const after = (ms: number, action: () => void): Disposable => {
    const timer = { dueMs: elapsedMs + clampTimerMs(ms), order: (order += 1), action }
    timers.add(timer)
    return { [Symbol.dispose]: () => void timers.delete(timer) }
  }

  return {
    nowMs: () => wallOffsetMs + elapsedMs,
    monotonicMs: () => elapsedMs,
    after,
    sleep: (ms, signal) => sleepOn(after, ms, signal),
    advance: async (ms) => {
      const untilMs = elapsedMs + ms
      await settle()
      for (let timer = nextDue(timers, untilMs); timer !== undefined; timer = nextDue(timers, untilMs)) {
        timers.delete(timer)
        elapsedMs = Math.max(elapsedMs, timer.dueMs)
        timer.action()
        await settle()
      }
      elapsedMs = untilMs
    },
    setNowMs: (ms) => {
      wallOffsetMs = ms - elapsedMs
    },
    get pending() {
      return timers.size
    },
  }
}

function nextDue(timers: ReadonlySet<Timer>, untilMs: number): Timer | undefined {
  let next: Timer | undefined
  for (const timer of timers) {
    if (timer.dueMs > untilMs) continue
    if (next === undefined || timer.dueMs < next.dueMs || (timer.dueMs === next.dueMs && timer.order < next.order)) {
      next = timer
    }
  }
  return next
}

function sleepOn(after: Clock['after'], ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const onAbort = () => {
      timer[Symbol.dispose]()
      reject(signal?.reason)
    }
    const timer = after(ms, () => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    })
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}

/** One turn of the event loop: every promise that can settle without I/O has settled. */
function settle(): Promise<void> {
  return new Promise((resolve) => {
    setImmediate(resolve)
  })
}
