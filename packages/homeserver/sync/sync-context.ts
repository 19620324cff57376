/** What all parts of one sync answer share. */
import type { Filter } from '@holdfast/protocol/filter/filter'
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import type { UserMembership } from '../rooms/user-memberships.ts'

export type SyncContext = {
  readonly deps: Homeserver
  readonly requester: Requester
  /** The end of what the client has; undefined: it has nothing. */
  readonly since: number | undefined
  /** The end of what the client will have. */
  readonly upTo: number
  readonly filter: Filter
  readonly fullState: boolean
  /** The client wants the state after the timeline, not before it. */
  readonly useStateAfter: boolean
  readonly ignored: ReadonlySet<UserId>
}

/** One of the user's rooms in a sync. */
export type SyncRoom = { readonly context: SyncContext; readonly membership: UserMembership }
