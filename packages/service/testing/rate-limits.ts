/** Rate limits for tests: nothing is limited but what a test limits. */
import { DEFAULT_RATE_LIMITS, type RateLimits } from '@holdfast/platform/config/rate-limits'

export function limits(tight: Partial<RateLimits>): RateLimits {
  const off = Object.keys(DEFAULT_RATE_LIMITS).map((name) => [name, undefined])
  return { ...Object.fromEntries(off), ...tight } as RateLimits
}
