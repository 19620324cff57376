/** Rate limits as token buckets, in bounded memory. */
import { LRUCache } from 'lru-cache'
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

/** `level` is what was left at `atMs`. */
type Bucket = { level: number; atMs: number }

/** Per class. A bucket that is pushed out was the longest untouched, and most likely full again. */
const BUCKETS_MAX = 20_000

export function openRateLimiter(deps: {
  readonly clock: Pick<Clock, 'monotonicMs'>
  /** undefined: nothing is limited. */
  readonly limits: RateLimits | undefined
}): RateLimiter {
  const classes = new Map<RateLimitClass, LRUCache<string | number, Bucket>>()

  /** The bucket as it is now; undefined where there is no limit. */
  function bucketNow({ limit, key }: Limited): { readonly bucket: Bucket; readonly rate: RateLimit } | undefined {
    const rate = deps.limits?.[limit]
    if (rate === undefined) return undefined
    const nowMs = deps.clock.monotonicMs()
    const buckets = classes.get(limit) ?? new LRUCache<string | number, Bucket>({ max: BUCKETS_MAX })
    classes.set(limit, buckets)
    const bucket = buckets.get(key) ?? { level: rate.burst, atMs: nowMs }
    bucket.level = Math.min(rate.burst, bucket.level + ((nowMs - bucket.atMs) * rate.perSecond) / 1000)
    bucket.atMs = nowMs
    buckets.set(key, bucket)
    return { bucket, rate }
  }

  function room(limited: readonly Limited[]): readonly Bucket[] {
    const found = limited.map(bucketNow).filter((one) => one !== undefined)
    const waitMs = Math.max(0, ...found.map(({ bucket, rate }) => waitForOneMs(bucket, rate)))
    if (waitMs > 0) throw limitExceeded(waitMs)
    return found.map(({ bucket }) => bucket)
  }

  return {
    take: (...limited) => {
      for (const bucket of room(limited)) bucket.level = Math.max(0, bucket.level - 1)
    },
    check: (...limited) => {
      room(limited)
    },
    count: (...limited) => {
      for (const one of limited) {
        const found = bucketNow(one)
        if (found !== undefined) found.bucket.level = Math.max(0, found.bucket.level - 1)
      }
    },
  }
}

/** Refilling adds in fractions, so that a bucket may miss one by a rounding error. */
const ROUNDING = 1e-9

function waitForOneMs(bucket: Bucket, rate: RateLimit): number {
  if (bucket.level >= 1 - ROUNDING) return 0
  return Math.max(1, Math.ceil(((1 - bucket.level) * 1000) / rate.perSecond))
}

/** <https://spec.matrix.org/v1.19/client-server-api/#rate-limiting>; `retry_after_ms` also becomes the Retry-After header. */
export function limitExceeded(retryAfterMs: number): MatrixError {
  const seconds = Math.ceil(retryAfterMs / 1000)
  return matrixError('M_LIMIT_EXCEEDED', `Too many requests; try again in ${seconds} s.`, {
    extra: { retry_after_ms: retryAfterMs },
  })
}
