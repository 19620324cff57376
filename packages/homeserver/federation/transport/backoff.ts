/** When a server that fails is tried again. Pure: what was, and what happened, give what is. */
import type { Random } from '@holdfast/platform/random/random'

export const BACKOFF = {
  firstMs: 1_000,
  /** A server that has come here is dormant: tried about once a day until it is heard from. */
  lastMs: 86_400_000,
  /** How long a server may tell us to wait. */
  retryAfterMsMax: 3_600_000,
} as const

export type Failing = {
  readonly sinceMs: number
  readonly retryAtMs: number
  /** The pause before `retryAtMs` in full; 0 right after the server was heard from. */
  readonly intervalMs: number
  readonly lastError: string
}

export type Failure = { readonly message: string; readonly retryAfterMs?: number | undefined }

export function afterFailure(
  before: Failing | undefined,
  failure: Failure,
  { nowMs, random }: { readonly nowMs: number; readonly random: Random },
): Failing {
  const lastError = failure.message.slice(0, ERROR_CHARACTERS_MAX)
  // Who asks for a user does not wait, and must not make others wait longer.
  if (before !== undefined && !isDue(before, nowMs)) return { ...before, lastError }
  const intervalMs = Math.min(Math.max((before?.intervalMs ?? 0) * 2, BACKOFF.firstMs), BACKOFF.lastMs)
  const waitMs = Math.round(intervalMs * (0.5 + random.integer(1001) / 2000))
  const askedMs = Math.min(failure.retryAfterMs ?? 0, BACKOFF.retryAfterMsMax)
  return { sinceMs: before?.sinceMs ?? nowMs, retryAtMs: nowMs + Math.max(waitMs, askedMs), intervalMs, lastError }
}

/** A wall clock that was set back must not silence a server for years. */
export function isDue(failing: Failing, nowMs: number): boolean {
  return nowMs >= failing.retryAtMs || failing.retryAtMs - nowMs > BACKOFF.lastMs
}

export function isDormant(failing: Failing): boolean {
  return failing.intervalMs >= BACKOFF.lastMs
}

const ERROR_CHARACTERS_MAX = 300
