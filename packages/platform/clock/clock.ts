/** Time as a parameter (CONTRIBUTING R7): the only door to Date and timers outside this folder. */

export type Clock = {
  /** Wall clock, milliseconds since the Unix epoch. May jump; never use it to measure a span. */
  nowMs(): number
  /** Monotonic milliseconds, for spans and timeouts. */
  monotonicMs(): number
  /** Resolves after `ms` (clamped to 0 ... 2^31-1), or rejects with the signal's reason when it aborts first. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>
  /** Calls `action` once after `ms`; dispose to cancel. The timer does not keep the process alive. */
  after(ms: number, action: () => void): Disposable
}
