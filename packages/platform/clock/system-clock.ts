/** The real clock. */
import type { Clock } from './clock.ts'

/** Node fires a longer timer at once, so every wait is clamped to this. */
const TIMER_MS_MAX = 2 ** 31 - 1

export function createSystemClock(): Clock {
  return {
    nowMs: () => Date.now(),
    monotonicMs: () => performance.now(),
    sleep,
    after: (ms, action) => {
      const timer = setTimeout(action, clampTimerMs(ms))
      timer.unref()
      return { [Symbol.dispose]: () => clearTimeout(timer) }
    },
  }
}

/** What a timer can hold: not a number counts as 0. */
export function clampTimerMs(ms: number): number {
  if (!(ms > 0)) return 0
  return Math.min(ms, TIMER_MS_MAX)
}

function sleep(ms: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) {
      reject(signal.reason)
      return
    }
    const onAbort = () => {
      clearTimeout(timer)
      reject(signal?.reason)
    }
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort)
      resolve()
    }, clampTimerMs(ms))
    signal?.addEventListener('abort', onAbort, { once: true })
  })
}
