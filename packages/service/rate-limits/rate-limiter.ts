/** Rate limits as token buckets, in bounded memory. */
import { LRUCache } from 'lru-cache'
import { upTo } from '@holdfast/platform/cache/up-to'
import type { Clock } from '@holdfast/platform/clock/clock'
import { matrixError, type MatrixError } from '@holdfast/protocol/errors'
import type { RateLimit, RateLimitClass, RateLimits } from '@holdfast/platform/config/rate-limits'

/** A bucket that must have room: a class, and who is counted in it. */
export type Limited = { readonly limit: RateLimitClass; readonly key: string | number }

export type RateLimiter = {
  /**
   * Takes one from each of the buckets, or from none.
   * @throws M_LIMIT_EXCEEDED with the exact time after which the same call succeeds
   */
  take(...buckets: readonly Limited[]): void
  /** Refuses as `take` does, but takes nothing: for limits on failures, which are counted when they happen. */
  check(...buckets: readonly Limited[]): void
  /** Takes one where there is one, and never refuses. */
  count(...buckets: readonly Limited[]): void
}

/** Each taking moves the time at which the bucket is full again; a look moves nothing, so that no rounding adds up. */
type Bucket = { fullAtMs: number }

/** Per class. A bucket that is pushed out was the longest untouched, and most likely full again. */
const BUCKETS_MAX = 20_000

type Found = { readonly bucket: Bucket; readonly rate: RateLimit; readonly nowMs: number }

export function openRateLimiter(deps: {
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** undefined: nothing is limited. */
  readonly limits: RateLimits | undefined
}): RateLimiter {
  const classes = new Map<RateLimitClass, LRUCache<string | number, Bucket>>()

  /** undefined where there is no limit. */
  function find({ limit, key }: Limited): Found | undefined {
    const rate = deps.limits?.[limit]
    if (rate === undefined) return undefined
    const nowMs = deps.clock.monotonicMs()
    const buckets = classes.get(limit) ?? new LRUCache<string | number, Bucket>(upTo(BUCKETS_MAX))
    classes.set(limit, buckets)
    const bucket = buckets.get(key) ?? { fullAtMs: nowMs }
    buckets.set(key, bucket)
    return { bucket, rate, nowMs }
  }

  function room(limited: readonly Limited[]): readonly Found[] {
    const found = limited.map(find).filter((one) => one !== undefined)
    const waitMs = Math.max(0, ...found.map(waitForOneMs))
    if (waitMs > 0) throw limitExceeded(waitMs)
    return found
  }

  return {
    take: (...limited) => {
      for (const found of room(limited)) takeOne(found)
    },
    check: (...limited) => {
      room(limited)
    },
    count: (...limited) => {
      for (const one of limited) {
        const found = find(one)
        if (found !== undefined) takeOne(found)
      }
    },
  }
}

/** An empty bucket stays empty. */
function takeOne({ bucket, rate, nowMs }: Found): void {
  const refillMs = 1000 / rate.perSecond
  bucket.fullAtMs = Math.min(Math.max(bucket.fullAtMs, nowMs) + refillMs, nowMs + rate.burst * refillMs)
}

/** Sums of fractions may be this much too large. */
const ROUNDING_MS = 1e-6

/** Whole milliseconds until there is one to take; 0 if there is one now. */
function waitForOneMs({ bucket, rate, nowMs }: Found): number {
  const readyAtMs = bucket.fullAtMs - (rate.burst - 1) * (1000 / rate.perSecond)
  return Math.max(0, Math.ceil(readyAtMs - nowMs - ROUNDING_MS))
}

/** <https://spec.matrix.org/v1.19/client-server-api/#rate-limiting>; `retry_after_ms` also becomes the Retry-After header. */
export function limitExceeded(retryAfterMs: number): MatrixError {
  const seconds = Math.ceil(retryAfterMs / 1000)
  return matrixError('M_LIMIT_EXCEEDED', `Too many requests; try again in ${seconds} s.`, {
    extra: { retry_after_ms: retryAfterMs },
  })
}
