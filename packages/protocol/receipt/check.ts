/** Checks 4 to 7 on receipt of an event, in their order. <https://spec.matrix.org/v1.19/server-server-api/#checks-performed-on-receipt-of-a-pdu> */
import { checkAuthEvents } from '../auth/auth-events.ts'
import type { AuthRule, AuthVerdict } from '../auth/auth-rules.ts'
import { authStateOf } from '../auth/auth-state.ts'
import type { AuthState } from '../auth/auth-state.ts'
import { authorize } from '../auth/authorize.ts'
import type { Pdu } from '../event/pdu.ts'
import type { EventId } from '../ids/brand.ts'
import { createEventIdOf } from '../ids/room-id.ts'
import type { RoomRules } from '../room-version/rules.ts'
import { RECEIPT_RULES } from './receipt-rules.ts'
import type { ReceiptRule } from './receipt-rules.ts'

/** An event that we have, with what was decided about it. */
export type KnownEvent = { readonly pdu: Pdu; readonly rejected: boolean }

export type OutlierReceipt = {
  readonly rules: RoomRules
  /** Valid, signed, and redacted if its hash was wrong: see `parsePdu` and `signaturesToCheck`. */
  readonly event: Pdu
  /** Those of the events in its `auth_events` that we have. */
  readonly authEvents: readonly KnownEvent[]
  /** The create event that we have of this room: no other is accepted, and where the room id is its hash nobody cites it. */
  readonly create: KnownEvent | undefined
  /** The servers whose signature was found to hold. Leave it out only for events whose signatures were checked before. */
  readonly signedBy?: ReadonlySet<string> | undefined
}

export type Receipt = OutlierReceipt & {
  /** Where all previous events are known. undefined: they are not, so that only check 4 can speak yet. */
  readonly stateBefore: AuthState | undefined
  /** The room's state now. undefined: the event is of the past, or the first of its room, and no check 6 is due. */
  readonly currentState: AuthState | undefined
  /** What the policy server of the room said; left out where there is none, or the event needs no leave of it. */
  readonly policy?: 'recommended' | 'refused' | undefined
}

/** Which check an event failed. */
export type ReceiptCheck = 'auth-events' | 'state-before' | 'current-state' | 'policy-server'

export type ReceiptVerdict =
  | { readonly verdict: 'accept' }
  | ({ readonly verdict: 'soft-fail' | 'reject' } & ReceiptReason)
  | {
      readonly verdict: 'need'
      /** Cited and unknown, or the create event that is not cited. */
      readonly authEvents: readonly EventId[]
      /** Whether the state before the event is wanted. */
      readonly stateBefore: boolean
    }

export type ReceiptReason = {
  readonly check: ReceiptCheck
  readonly rule: AuthRule | ReceiptRule
  readonly message: string
}

const ACCEPT: ReceiptVerdict = { verdict: 'accept' }

export function checkReceivedPdu(receipt: Receipt): ReceiptVerdict {
  const { event, stateBefore, currentState, policy } = receipt
  if (event.prevEvents.includes(event.eventId)) return reject('auth-events', ofReceipt('prev-events-cite-event'))
  const byAuthEvents = checkOutlier(receipt)
  if (byAuthEvents.verdict !== 'accept') return byAuthEvents
  if (stateBefore === undefined) return { verdict: 'need', authEvents: [], stateBefore: true }
  const before = authorizeIn(receipt, stateBefore)
  if (!before.allowed) return reject('state-before', before)
  const now = currentState === undefined ? before : authorizeIn(receipt, currentState)
  if (!now.allowed) return softFail('current-state', now)
  return policy === 'refused' ? softFail('policy-server', ofReceipt('policy-server-refused')) : ACCEPT
}

/**
 * Check 4 alone: all that can be said of an event that has no place in the room yet, as those of a state or an auth chain that
 * another server told us.
 */
export function checkOutlier(receipt: OutlierReceipt): ReceiptVerdict {
  const { rules, event, authEvents, create } = receipt
  if (event.type === 'm.room.create') return checkCreate(receipt)
  if (event.authEvents.includes(event.eventId)) return reject('auth-events', ofReceipt('auth-events-cite-event'))
  const known = new Map(authEvents.map((entry) => [entry.pdu.eventId, entry]))
  const missing = event.authEvents.filter((eventId) => !known.has(eventId))
  const uncitedCreate = createEventIdOf(event.roomId)
  if (rules.roomIdIsCreateHash && create === undefined && uncitedCreate !== undefined) missing.push(uncitedCreate)
  if (missing.length > 0) return { verdict: 'need', authEvents: missing, stateBefore: false }
  // In the order of the event, and as often as it names them: a repetition is against the rules.
  const cited = event.authEvents.flatMap((eventId) => known.get(eventId) ?? [])
  const selection = checkAuthEvents(rules, event, {
    cited: cited.map(asAuthEvent),
    create: create === undefined ? undefined : asAuthEvent(create),
  })
  if (!selection.allowed) return reject('auth-events', selection)
  const uncited = rules.roomIdIsCreateHash && create !== undefined ? [create] : []
  const verdict = authorizeIn(receipt, authStateOf([...uncited, ...cited].map(({ pdu }) => pdu)))
  return verdict.allowed ? ACCEPT : reject('auth-events', verdict)
}

/** The authorisation rules look at no other event for it, so any server could give a room a second beginning. */
function checkCreate(receipt: OutlierReceipt): ReceiptVerdict {
  const { event, create } = receipt
  if (create !== undefined && create.pdu.eventId !== event.eventId) {
    return reject('auth-events', ofReceipt('room-created-before'))
  }
  const verdict = authorizeIn(receipt, authStateOf([]))
  return verdict.allowed ? ACCEPT : reject('auth-events', verdict)
}

function asAuthEvent({ pdu, rejected }: KnownEvent): { event: Pdu; rejected: boolean } {
  return { event: pdu, rejected }
}

function authorizeIn({ rules, event, signedBy }: OutlierReceipt, state: AuthState): AuthVerdict {
  return authorize(rules, event, state, signedBy === undefined ? {} : { signedBy })
}

type Reason = Omit<ReceiptReason, 'check'>

function ofReceipt(rule: ReceiptRule): Reason {
  return { rule, message: RECEIPT_RULES[rule] }
}

function reject(check: ReceiptCheck, { rule, message }: Reason): ReceiptVerdict {
  return { verdict: 'reject', check, rule, message }
}

function softFail(check: ReceiptCheck, { rule, message }: Reason): ReceiptVerdict {
  return { verdict: 'soft-fail', check, rule, message }
}
