/** What one commit does to one room, whether by events of our own (`RoomDraft`) or by those of other servers (`receive/`). */
import type { RoomId, ServerName, UserId } from '@holdfast/protocol/ids/brand'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import type { Statement } from '@holdfast/platform/database/database'
import type { Membership } from '../storage/memberships.ts'
import type { StoredEvent } from './event-store.ts'
import type { RoomHead } from './room-heads.ts'
import type { RoomState } from './state-store.ts'

export type RoomChanges = {
  readonly room: DraftRoom
  readonly roomId: RoomId
  /** undefined: the room is new. */
  readonly head: RoomHead | undefined
  readonly events: readonly DraftEvent[]
  /** Committed after the events, in this order. */
  readonly sides: readonly SideStatement[]
  /** Events rewritten by redactions. */
  readonly redactedNids: readonly number[]
  /** The current state, afterwards. */
  readonly state: RoomState
  /** The forward extremities, afterwards. */
  readonly tips: readonly StoredEventRef[]
  readonly depth: number
  /** In their order; of one user only the last counts. */
  readonly memberChanges: readonly MembershipChange[]
  /** Servers that are said to be in the room, as its members are not all known; they take the place of those said before. */
  readonly namedServers?: readonly ServerName[] | undefined
}

export type DraftRoom = {
  readonly roomNid: number
  /** undefined until the create event of a version 12 room gives it. */
  readonly roomId: RoomId | undefined
  readonly version: string
  readonly rules: RoomRules
}

/** An event that is about to be committed. */
export type DraftEvent = {
  readonly event: StoredEventRef
  readonly typeNid: number
  /** Its position is the commit's first position plus this; undefined: it is not new on the timeline. */
  readonly positionOffset: number | undefined
  /** The position of an event of the past, before all that is here. */
  readonly pastPosition?: number | undefined
  /** It is stored already, as an outlier, and gets its place now. */
  readonly isStored?: boolean
  /** The states that it brings and that have to be stored, parents first. */
  readonly newStates: readonly RoomState[]
  /** The state of the room once it is accepted, where that is not the state after it. */
  readonly roomStateNid: number | undefined
  readonly edges: { readonly prev: readonly number[]; readonly auth: readonly number[] }
  /** Why it is rejected or soft-failed. */
  readonly verdict?: { readonly rule: string; readonly message: string } | undefined
  /** Whether other servers in the room hear of it from us. */
  readonly isOurs: boolean
}

/** An event that may still wait for its position. */
export type StoredEventRef = Omit<StoredEvent, 'position'>

/** A statement that is committed with the events; `broken` says what it means when its expectation fails. */
export type SideStatement = { readonly statement: Statement; readonly broken: (() => Error) | undefined }

/** A change of somebody's membership. */
export type MembershipChange = {
  readonly userNid: number
  readonly userId: UserId
  readonly membership: Membership
  readonly eventNid: number
  /** Of the event that caused it. */
  readonly positionOffset: number
}
