/** The clock of one life of a server: virtual, wrong by its skew, and silent once the process is dead. */
import type { Clock } from '@holdfast/platform/clock/clock'
import { clampTimerMs } from '@holdfast/platform/clock/system-clock'
import type { Life } from '../world/life.ts'
import type { VirtualTime } from './virtual-time.ts'

export function serverClock(time: VirtualTime, life: Life, wallOffsetMs: number): Clock {
  const after = (ms: number, action: () => void): Disposable =>
    time.after(clampTimerMs(ms), () => {
      if (!life.isOver) action()
    })
  return {
    nowMs: () => Math.floor(wallOffsetMs + time.elapsedMs),
    monotonicMs: () => time.elapsedMs,
    after,
    sleep: (ms, signal) =>
      new Promise((resolve, reject) => {
        if (signal?.aborted === true) {
          reject(signal.reason)
          return
        }
        const onAbort = (): void => {
          timer[Symbol.dispose]()
          reject(signal?.reason)
        }
        const timer = after(ms, () => {
          signal?.removeEventListener('abort', onAbort)
          resolve()
        })
        signal?.addEventListener('abort', onAbort, { once: true })
      }),
  }
}
