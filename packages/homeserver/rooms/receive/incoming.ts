/** Events of other servers, as far as they are checked before they reach their room. */
import type { ParsedPdu } from '@holdfast/protocol/event/format'
import type { EventId } from '@holdfast/protocol/ids/brand'
import type { StateMap } from '@holdfast/protocol/state/state-map'
import type { SideStatement } from '../room-changes.ts'

/** An event in the format of its room, whose hashes and signatures were checked. */
export type IncomingEvent = {
  readonly parsed: ParsedPdu
  /** The servers whose signatures on it hold. */
  readonly signedBy: ReadonlySet<string>
  /** The event of the room's state (its integer id) that names a policy server without whose signature it came. */
  readonly refusedUnder?: number
}

/** An event that is to get its place in the room's graph. */
export type Arrival = {
  readonly incoming: IncomingEvent
  /** The states after those of its previous events that are not here, as another server told them. */
  readonly statesAfter?: ReadonlyMap<EventId, StateMap>
  /** Whether we vouch for it towards the other servers of the room, as for a join that we have let in. */
  readonly isOurs?: boolean
  /** The local device and transaction that caused it. */
  readonly transaction?: { readonly deviceNid: number; readonly transactionId: string | undefined }
  /** Of an event that a decision here has drafted: its integer id, and what is to be committed with it if it is accepted. */
  readonly drafted?: { readonly nid: number; readonly sides: readonly SideStatement[] }
}

export type Acceptance =
  | { readonly outcome: 'accepted' | 'known'; readonly nid: number }
  | {
      readonly outcome: 'soft-failed' | 'rejected'
      readonly nid: number
      readonly rule: string
      readonly message: string
    }
  /** Not stored: these are not here. */
  | { readonly outcome: 'missing'; readonly authEvents: readonly EventId[]; readonly prevEvents: readonly EventId[] }
