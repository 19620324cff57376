/** Keeps a fixed number of operations in flight until a count or a time is reached. */

export type Operation = (worker: number, index: number) => Promise<number | readonly number[] | void>
export type LoopLimits = { readonly inFlight: number; readonly operationsMax: number; readonly secondsMax: number }
export type LoopResult = { readonly samplesMs: number[]; readonly seconds: number }

/**
 * Latency is the time of the whole operation, or what the operation answers when only a part of it counts (a list when
 * it held several, such as the wake-ups of many waiters). The first failure ends the loop.
 */
export async function closedLoop(limits: LoopLimits, operation: Operation): Promise<LoopResult> {
  const samplesMs: number[] = []
  const startMs = performance.now()
  const endMs = startMs + limits.secondsMax * 1000
  let next = 0
  const failure = { happened: false }
  async function work(worker: number): Promise<void> {
    while (!failure.happened && next < limits.operationsMax) {
      const beforeMs = performance.now()
      if (beforeMs >= endMs) return
      const index = next
      next += 1
      const own = await operation(worker, index)
      if (typeof own === 'object') samplesMs.push(...own)
      else samplesMs.push(own ?? performance.now() - beforeMs)
    }
  }
  const workers = Array.from({ length: limits.inFlight }, (_, worker) => work(worker))
  const results = await Promise.allSettled(workers.map((promise) => promise.catch(stop)))
  const rejected = results.find((result) => result.status === 'rejected')
  if (rejected !== undefined) throw rejected.reason
  return { samplesMs, seconds: (performance.now() - startMs) / 1000 }

  function stop(error: unknown): never {
    failure.happened = true
    throw error
  }
}
