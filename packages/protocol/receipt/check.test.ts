import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { authStateOf } from '../auth/auth-state.ts'
import type { Pdu } from '../event/pdu.ts'
import { aRoom, buildCreate } from '../event/testing/a-room.ts'
import type { TestRoom } from '../event/testing/a-room.ts'
import { ROOM_VERSIONS } from '../room-version/rules.ts'
import { checkOutlier, checkReceivedPdu } from './check.ts'
import type { KnownEvent, Receipt, ReceiptVerdict } from './check.ts'

/** The event as it arrives in the room, which accepted all that it has but for `rejected`. */
function arriving(room: TestRoom, event: Pdu, rejected: readonly Pdu[] = []): Receipt {
  const entry = (pdu: Pdu): KnownEvent => ({ pdu, rejected: rejected.includes(pdu) })
  const authEvents = [...room.events, ...rejected].filter(({ eventId }) => event.authEvents.includes(eventId))
  return {
    rules: room.rules,
    event,
    authEvents: authEvents.map(entry),
    create: entry(room.create),
    stateBefore: room.state,
    currentState: room.state,
  }
}

function expect(verdict: ReceiptVerdict, kind: string, check?: string, rule?: string): void {
  const told = JSON.stringify(verdict)
  assert.equal(verdict.verdict, kind, told)
  if (verdict.verdict !== 'reject' && verdict.verdict !== 'soft-fail') return
  assert.equal(verdict.check, check, told)
  assert.equal(verdict.rule, rule, told)
  assert.match(verdict.message, /^[A-Zam].*\.$/)
}

for (const version of ROOM_VERSIONS) {
  const room = aRoom({ version }).join('@bob:b')
  const { rules } = room
  describe(`a received event of version ${version}`, () => {
    test('is accepted when its auth events, the state before it and the state now allow it', () => {
      expect(checkReceivedPdu(arriving(room, room.message('@bob:b'))), 'accept')
      expect(checkReceivedPdu(arriving(room, room.stateEvent('@ann:a', 'm.room.name', '', { name: 'x' }))), 'accept')
      expect(checkReceivedPdu(arriving(room, room.member('@cat:c', '@cat:c', 'join'))), 'accept')
    })

    test('is rejected when its auth events do not allow it, whatever the states say', () => {
      const stranger = room.message('@eve:e')
      const joined = room.join('@eve:e')
      const receipt = { ...arriving(room, stranger), stateBefore: joined.state, currentState: joined.state }
      expect(checkReceivedPdu(receipt), 'reject', 'auth-events', 'sender-not-joined')
    })

    test('is rejected when the state before it does not allow it, whatever the state now says', () => {
      const banned = room.put('@bob:b', 'ban')
      const receipt = { ...arriving(room, room.message('@bob:b')), stateBefore: banned.state }
      expect(checkReceivedPdu(receipt), 'reject', 'state-before', 'sender-not-joined')
      const both = { ...receipt, currentState: banned.state }
      expect(checkReceivedPdu(both), 'reject', 'state-before', 'sender-not-joined')
    })

    test('is soft-failed when only the state now does not allow it: a ban cannot be evaded by looking at the past', () => {
      const banned = room.put('@bob:b', 'ban')
      const receipt = { ...arriving(room, room.message('@bob:b')), currentState: banned.state }
      expect(checkReceivedPdu(receipt), 'soft-fail', 'current-state', 'sender-not-joined')
      expect(checkReceivedPdu({ ...receipt, currentState: undefined }), 'accept')
    })

    test('is soft-failed when the policy server refuses it, and rejected when the rules do', () => {
      const receipt: Receipt = { ...arriving(room, room.message('@bob:b')), policy: 'refused' }
      expect(checkReceivedPdu(receipt), 'soft-fail', 'policy-server', 'policy-server-refused')
      expect(checkReceivedPdu({ ...receipt, policy: 'recommended' }), 'accept')
      const banned = room.put('@bob:b', 'ban')
      const rejected = checkReceivedPdu({ ...receipt, stateBefore: banned.state })
      expect(rejected, 'reject', 'state-before', 'sender-not-joined')
    })

    test('is rejected when one of its auth events was', () => {
      const join = room.member('@cat:c', '@cat:c', 'join')
      const later = room.with(join)
      const event = later.message('@cat:c')
      const verdict = checkReceivedPdu(arriving(room, event, [join]))
      expect(verdict, 'reject', 'auth-events', 'auth-events-rejected')
    })

    test('names the auth events that are missing, before anything else is looked at', () => {
      const event = room.message('@bob:b')
      const receipt = { ...arriving(room, event), authEvents: [], stateBefore: undefined }
      assert.deepEqual(checkReceivedPdu(receipt), {
        verdict: 'need',
        authEvents: event.authEvents,
        stateBefore: false,
      })
    })

    test('asks for the state before it once its auth events allow it', () => {
      const receipt = { ...arriving(room, room.message('@bob:b')), stateBefore: undefined }
      assert.deepEqual(checkReceivedPdu(receipt), { verdict: 'need', authEvents: [], stateBefore: true })
      const stranger = { ...arriving(room, room.message('@eve:e')), stateBefore: undefined }
      expect(checkReceivedPdu(stranger), 'reject', 'auth-events', 'sender-not-joined')
    })

    test('cites neither itself nor the wrong kind of event, nor one of another room, nor one twice', () => {
      const event = room.message('@bob:b')
      const itself = { ...event, authEvents: [...event.authEvents, event.eventId] }
      expect(checkReceivedPdu(arriving(room, itself)), 'reject', 'auth-events', 'auth-events-cite-event')
      const loop = { ...event, prevEvents: [event.eventId] }
      expect(checkReceivedPdu(arriving(room, loop)), 'reject', 'auth-events', 'prev-events-cite-event')
      const message = room.message('@ann:a')
      const talk = room.with(message)
      const citesMessage = { ...event, authEvents: [...event.authEvents, message.eventId] }
      expect(checkReceivedPdu(arriving(talk, citesMessage)), 'reject', 'auth-events', 'auth-events-unselected')
      const twice = { ...event, authEvents: [...event.authEvents, event.authEvents.at(-1)!] }
      expect(checkReceivedPdu(arriving(room, twice)), 'reject', 'auth-events', 'auth-events-duplicate')
      const other = aRoom({ version, creator: '@bob:b' })
      const join = other.events.find(({ type }) => type === 'm.room.member')!
      const kept = event.authEvents.filter((id) => room.events.find((e) => e.eventId === id)!.stateKey !== '@bob:b')
      const strange = { ...event, authEvents: [...kept, join.eventId] }
      const receipt = arriving(room, strange)
      const withOther = { ...receipt, authEvents: [...receipt.authEvents, { pdu: join, rejected: false }] }
      expect(checkReceivedPdu(withOther), 'reject', 'auth-events', 'auth-events-of-other-room')
    })

    test('is not allowed to leave out a power level that limits it', () => {
      const limited = room.powerLevels({ events_default: 50, users: rules.creatorsAboveAll ? {} : { '@ann:a': 100 } })
      const levels = limited.events.at(-1)!
      const event = limited.message('@bob:b')
      const silent = { ...event, authEvents: event.authEvents.filter((id) => id !== levels.eventId) }
      expect(checkReceivedPdu(arriving(limited, silent)), 'reject', 'state-before', 'power-too-low')
    })

    test('may begin a room, and not one that has begun', () => {
      const { create } = room
      const first = {
        ...arriving(room, create),
        create: undefined,
        stateBefore: authStateOf([]),
        currentState: undefined,
      }
      expect(checkReceivedPdu(first), 'accept')
      expect(checkReceivedPdu(arriving(room, create)), 'accept')
      const second = {
        ...buildCreate(rules, '@ann:a', { again: true }),
        roomId: room.roomId,
        eventId: '$other:a' as never,
      }
      expect(checkReceivedPdu(arriving(room, second)), 'reject', 'auth-events', 'room-created-before')
      expect(checkOutlier(arriving(room, second)), 'reject', 'auth-events', 'room-created-before')
    })

    test('that is known only as part of a state is judged by its auth events alone', () => {
      expect(checkOutlier(arriving(room, room.message('@bob:b'))), 'accept')
      expect(checkOutlier(arriving(room, room.message('@eve:e'))), 'reject', 'auth-events', 'sender-not-joined')
      expect(checkOutlier({ ...arriving(room, room.message('@bob:b')), authEvents: [] }), 'need')
    })

    test('of a room whose create event was rejected is rejected', () => {
      const receipt = arriving(room, room.message('@bob:b'))
      const authEvents = receipt.authEvents.map((entry) => ({ ...entry, rejected: entry.pdu === room.create }))
      const verdict = checkReceivedPdu({ ...receipt, authEvents, create: { pdu: room.create, rejected: true } })
      const rule = rules.roomIdIsCreateHash ? 'room-not-created' : 'auth-events-rejected'
      expect(verdict, 'reject', 'auth-events', rule)
    })

    test('needs the create event even where nobody cites it', () => {
      const verdict = checkReceivedPdu({ ...arriving(room, room.message('@bob:b')), create: undefined })
      if (!rules.roomIdIsCreateHash) return expect(verdict, 'accept')
      assert.deepEqual(verdict, { verdict: 'need', authEvents: [room.create.eventId], stateBefore: false })
    })

    if (rules.restrictedJoins) {
      test('that somebody authorised is rejected without the signature of that server', () => {
        const restricted = room.joinRule('restricted', { allow: [] })
        const join = restricted.member('@cat:c', '@cat:c', 'join', { join_authorised_via_users_server: '@ann:a' })
        const signedBy = (...servers: string[]) => ({ ...arriving(restricted, join), signedBy: new Set(servers) })
        expect(checkReceivedPdu(signedBy('c', 'a')), 'accept')
        expect(checkReceivedPdu(signedBy('c')), 'reject', 'auth-events', 'member-authorising-signature')
        expect(checkReceivedPdu(signedBy('c', 'b')), 'reject', 'auth-events', 'member-authorising-signature')
      })
    }
  })
}
