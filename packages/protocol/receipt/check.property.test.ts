import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import type { AuthState } from '../auth/auth-state.ts'
import type { Pdu } from '../event/pdu.ts'
import { aRoom } from '../event/testing/a-room.ts'
import type { TestRoom } from '../event/testing/a-room.ts'
import type { JsonValue } from '../json/value.ts'
import { ROOM_VERSIONS } from '../room-version/rules.ts'
import { checkOutlier, checkReceivedPdu } from './check.ts'
import type { KnownEvent, Receipt } from './check.ts'

const users = ['@ann:a', '@bob:b', '@cat:c', '@eve:e'] as const
const memberships = ['join', 'join', 'join', 'leave', 'ban', 'invite', 'knock', 'x', 5] as JsonValue[]

/** A room whose members come and go as they like, allowed or not, and whose events may have been rejected. */
const room = fc
  .record({
    version: fc.constantFrom(...ROOM_VERSIONS),
    changes: fc.array(fc.tuple(fc.constantFrom(...users), fc.constantFrom(...users), fc.constantFrom(...memberships)), {
      maxLength: 4,
    }),
  })
  .map(({ version, changes }) =>
    changes.reduce<TestRoom>(
      (before, [sender, target, membership]) => before.with(before.member(sender, target, membership)),
      aRoom({ version }).join('@bob:b').join('@cat:c').join('@eve:e'),
    ),
  )

const event = fc.record({
  sender: fc.constantFrom(...users),
  type: fc.constantFrom(
    'm.room.message',
    'm.room.message',
    'm.room.name',
    'm.room.member',
    'm.room.power_levels',
    'm.room.create',
  ),
  stateKey: fc.constantFrom(undefined, undefined, undefined, undefined, '', ...users),
  membership: fc.constantFrom(...memberships),
})

const rarely = fc.oneof({ weight: 5, arbitrary: fc.constant([]) }, fc.array(fc.nat(12), { maxLength: 3 }))

const departures = fc.array(fc.tuple(fc.constantFrom(...users), fc.constantFrom('leave', 'ban', 'join')), {
  maxLength: 2,
})

/** Indexes of events that are cited for no reason, or rejected; and who is elsewhere in the state before and in the state now. */
const choices = fc.record({
  cited: rarely,
  rejected: rarely,
  before: departures,
  now: departures,
})

type Choices = {
  readonly cited: readonly number[]
  readonly rejected: readonly number[]
  readonly before: readonly (readonly [string, string])[]
  readonly now: readonly (readonly [string, string])[]
}

function receiptOf(room: TestRoom, event: Pdu, { cited, rejected, before, now }: Choices): Receipt {
  const pick = (indexes: readonly number[]): Pdu[] => indexes.flatMap((index) => room.events[index] ?? [])
  const authEvents = [...new Set([...event.authEvents, ...pick(cited).map(({ eventId }) => eventId)])]
  const stateWith = (changes: Choices['now']): AuthState =>
    changes.reduce((changed, [user, membership]) => changed.put(user, membership), room).state
  const entries: KnownEvent[] = room.events.map((pdu, index) => ({ pdu, rejected: rejected.includes(index) }))
  return {
    rules: room.rules,
    event: { ...event, authEvents },
    authEvents: entries,
    create: entries[0],
    stateBefore: stateWith(before),
    currentState: stateWith(now),
  }
}

const receipts = fc.tuple(room, event, choices).map(([room, { membership, ...draft }, chosen]) => {
  const content = draft.type === 'm.room.member' ? { membership } : {}
  return receiptOf(room, room.event({ ...draft, content }), chosen)
})

test('a verdict does not depend on the order in which the auth events are handed over, nor on others among them', () => {
  fc.assert(
    fc.property(receipts, (receipt) => {
      const cited = receipt.authEvents.filter(({ pdu }) => receipt.event.authEvents.includes(pdu.eventId))
      const verdict = checkReceivedPdu(receipt)
      assert.deepEqual(checkReceivedPdu({ ...receipt, authEvents: cited.toReversed() }), verdict)
    }),
    { numRuns: 2_000 },
  )
})

test('what the auth events forbid is rejected, what only the present forbids is soft-failed, and nothing that is known is needed', () => {
  fc.assert(
    fc.property(receipts, (receipt) => {
      const verdict = checkReceivedPdu(receipt)
      assert.notEqual(verdict.verdict, 'need')
      const outlier = checkOutlier(receipt)
      if (outlier.verdict !== 'accept') assert.deepEqual(verdict, outlier)
      const past = checkReceivedPdu({ ...receipt, currentState: undefined })
      assert.equal(verdict.verdict === 'reject', past.verdict === 'reject')
      if (verdict.verdict === 'soft-fail') assert.equal(past.verdict, 'accept')
      if (verdict.verdict === 'accept') assert.equal(past.verdict, 'accept')
    }),
    { numRuns: 2_000 },
  )
})

test('an event with a rejected auth event is never accepted', () => {
  fc.assert(
    fc.property(receipts, (receipt) => {
      const cites = receipt.authEvents.some(
        ({ pdu, rejected }) => rejected && receipt.event.authEvents.includes(pdu.eventId),
      )
      if (cites && receipt.event.type !== 'm.room.create') assert.equal(checkReceivedPdu(receipt).verdict, 'reject')
    }),
    { numRuns: 2_000 },
  )
})
