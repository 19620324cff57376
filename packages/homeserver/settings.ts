/** The settings of the homeserver, already parsed; `holdfast` derives them from the configuration. */

import type { RateLimits } from '@holdfast/platform/config/rate-limits'
import type { RoomId, ServerName, UserId } from '@holdfast/protocol/ids/brand'
import type { RoomVersion } from '@holdfast/protocol/room-version/rules'

export type HomeserverSettings = {
  /** Where clients reach this server, for /.well-known/matrix/client. */
  readonly publicBaseUrl: string | undefined
  /** Where other servers reach this server, for /.well-known/matrix/server; by default at the public base URL. */
  readonly federationAddress?: string | undefined
  /** Servers that are believed about the keys of others that cannot be reached (default: none). */
  readonly keyNotaries?: readonly ServerName[]
  readonly registration: 'open' | 'token' | 'closed'
  readonly registrationSharedSecret: string | undefined
  /** Terms of service that a registration has to accept: policy name → version and pages. Empty: no terms stage. */
  readonly terms: readonly TermsPolicy[]
  /** undefined: no limits (tests). */
  readonly rateLimits: RateLimits | undefined
  /** Whether the user id lies in a namespace that only an application service may use. */
  readonly isExclusiveUser?: (userId: UserId) => boolean
  /** Whether guests may register (default no). */
  readonly guests?: boolean
  /** Whether presence is kept and told at all. */
  readonly presence: boolean
  /** Whether other servers are told the names of devices (default no). */
  readonly deviceNamesToServers?: boolean
  /** Rooms may use this server as their policy server; it signs nothing of those whom these lists ban (default: it is none). */
  readonly policyServer?: { readonly lists: readonly RoomId[] } | undefined
  /** The version of new rooms whose creator names none (default: that of the specification). */
  readonly defaultRoomVersion?: RoomVersion
}

export type TermsPolicy = {
  readonly id: string
  readonly version: string
  /** Language → name and URL. */
  readonly translations: Readonly<Record<string, { readonly name: string; readonly url: string }>>
}
