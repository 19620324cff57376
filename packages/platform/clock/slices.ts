/** Work that may be long, in slices of a few milliseconds. */
import type { Clock } from './clock.ts'
import { yieldToLoop } from './yield.ts'

const SLICE_MS_MAX = 4

/** Call between steps: resolves at once while the slice lasts, and lets the event loop serve others when it is over. */
export function createSlices(clock: Pick<Clock, 'monotonicMs'>): () => Promise<void> | undefined {
  let startedMs = clock.monotonicMs()
  return () => {
    if (clock.monotonicMs() - startedMs < SLICE_MS_MAX) return undefined
    return yieldToLoop().then(() => {
      startedMs = clock.monotonicMs()
    })
  }
}
