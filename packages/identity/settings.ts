/** What the operator decides about the identity service. */
import type { RateLimits } from '@holdfast/platform/config/rate-limits'

/** <https://spec.matrix.org/v1.19/identity-service-api/#terms-of-service> */
export type Policy = {
  readonly id: string
  readonly version: string
  /** By language. */
  readonly translations: Readonly<Record<string, { readonly name: string; readonly url: string }>>
}

export type IdentitySettings = {
  /** Whether the API of 2018 is served, which knows no accounts: its limits are by address. */
  readonly v1: boolean
  /** Must be accepted before anything else in v2. */
  readonly terms: readonly Policy[]
  /** Whether addresses may also be looked up unhashed (`none`). */
  readonly plainLookups: boolean
  /** Hosts that a `next_link` may lead to. */
  readonly nextLinkHosts: readonly string[]
  /** A web client that mails of invitations lead to, without a slash at its end; undefined: they name the room only. */
  readonly webClientUrl: string | undefined
  /** undefined: nothing is limited. */
  readonly rateLimits: RateLimits | undefined
}
