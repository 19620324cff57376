/** Rate limits for tests: everything plentiful but for what a test limits. */
import type { HomeserverSettings, RateLimit, RateLimitClass } from '../settings.ts'

const PLENTY: RateLimit = { perSecond: 1_000_000, burst: 1_000_000 }

export function limits(
  tight: Partial<Record<RateLimitClass, RateLimit>>,
): NonNullable<HomeserverSettings['rateLimits']> {
  const classes: Record<RateLimitClass, RateLimit> = {
    message: PLENTY,
    login_address: PLENTY,
    login_account: PLENTY,
    login_failed: PLENTY,
    registration: PLENTY,
    registration_token_validity: PLENTY,
    join: PLENTY,
    invite_per_room: PLENTY,
    invite_per_user: PLENTY,
    room_creation: PLENTY,
    presence: PLENTY,
    to_device: PLENTY,
    user_directory: PLENTY,
    profile: PLENTY,
  }
  return { ...classes, ...tight }
}
