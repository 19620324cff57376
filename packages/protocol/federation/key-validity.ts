/** How long a key of another server may be used, and for what. <https://spec.matrix.org/v1.19/rooms/v5/#signing-key-validity-period> */
import { SPEC_LIMITS } from '../limits.ts'
import type { RoomRules } from '../room-version/rules.ts'

/** Of a key in use: until when, with the cap of `effectiveValidUntil`. Of one that is not used any more: when that ended. */
export type KeyLifetime =
  | { readonly kind: 'current'; readonly validUntilTs: number }
  | { readonly kind: 'old'; readonly expiredTs: number }

/** A server may promise what it likes: seven days after `fetchedMs` it has to be asked again. */
export function effectiveValidUntil(validUntilTs: number, fetchedMs: number): number {
  return Math.min(validUntilTs, fetchedMs + SPEC_LIMITS.serverKeyValidityMsMax)
}

/** Whether a request that is signed with the key may be believed now. Old keys are for events only. */
export function isKeyValidForRequest(lifetime: KeyLifetime, nowMs: number): boolean {
  return lifetime.kind === 'current' && nowMs <= lifetime.validUntilTs
}

/**
 * Whether the signature of an event of this time counts. `valid_until_ts` is ignored in the oldest room versions; that a key was
 * given up before the event is not. <https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events>
 */
export function isKeyValidForEvent(
  lifetime: KeyLifetime,
  { originServerTs, rules }: { readonly originServerTs: number; readonly rules: RoomRules },
): boolean {
  if (lifetime.kind === 'old') return originServerTs <= lifetime.expiredTs
  return !rules.enforcesKeyValidity || originServerTs <= lifetime.validUntilTs
}
