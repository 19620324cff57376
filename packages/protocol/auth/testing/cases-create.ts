/** Cases for the rules on the create event and on an event's auth events. */
import { buildCreate, aRoom } from '../../event/testing/a-room.ts'
import type { TestRoom } from '../../event/testing/a-room.ts'
import type { Pdu } from '../../event/pdu.ts'
import type { EventId, RoomId } from '../../ids/brand.ts'
import type { JsonObject, JsonValue } from '../../json/value.ts'
import { rulesFor } from '../../room-version/rules.ts'
import type { RoomVersion } from '../../room-version/rules.ts'
import { checkAuthEvents } from '../auth-events.ts'
import type { AuthVerdict } from '../auth-rules.ts'
import { authStateOf } from '../auth-state.ts'
import { authorize } from '../authorize.ts'
import { inOneRoom } from './rule-case.ts'
import type { RuleCase } from './rule-case.ts'

const NO_STATE = authStateOf([])

function verdictOn(version: RoomVersion, event: Pdu): AuthVerdict {
  return authorize(rulesFor(version)!, event, NO_STATE)
}

function createCase(rule: RuleCase['rule'], broken: string, brokenEvent: (version: RoomVersion) => Pdu): RuleCase {
  return {
    rule,
    broken,
    verdicts: (version) => ({
      valid: verdictOn(version, validCreate(version)),
      broken: verdictOn(version, brokenEvent(version)),
    }),
  }
}

function validCreate(version: RoomVersion, content: JsonObject = {}): Pdu {
  return buildCreate(rulesFor(version)!, '@ann:a', content)
}

function withoutCreator(version: RoomVersion): Pdu {
  const event = validCreate(version)
  return { ...event, content: { room_version: version } }
}

const notRoomVersions: readonly JsonValue[] = ['0', '13', '', 'org.example.made-up', 1, null, ['1']]
const notCreators: readonly JsonValue[] = [
  '@bob:b',
  null,
  { '0': '@bob:b' },
  ['@bob:b', 1],
  ['bob'],
  ['@bob'],
  ['@bob:'],
  [['@bob:b']],
]

export const CREATE_CASES: readonly RuleCase[] = [
  createCase('create-has-prev-events', 'there is an event before it', (version) => ({
    ...validCreate(version),
    prevEvents: ['$before:a' as EventId],
  })),
  createCase('create-room-id-of-other-server', 'the room id is of another server', (version) => ({
    ...validCreate(version),
    roomId: '!room:b' as RoomId,
  })),
  createCase('create-room-id-of-other-server', 'the room id has no server', (version) => ({
    ...validCreate(version),
    roomId: '!room' as RoomId,
  })),
  createCase('create-has-room-id', 'it says which room it is', (version) => ({
    ...validCreate(version),
    roomId: '!room:a' as RoomId,
  })),
  createCase('create-has-room-id', 'it says that it is another room with a hash', (version) => ({
    ...validCreate(version),
    roomId: `!${'A'.repeat(43)}` as RoomId,
  })),
  ...notRoomVersions.map((room_version) =>
    createCase('create-room-version-unknown', `the version is ${JSON.stringify(room_version)}`, (version) =>
      validCreate(version, { room_version }),
    ),
  ),
  createCase('create-without-creator', 'no creator is named', withoutCreator),
  ...notCreators.map((additional_creators) =>
    createCase(
      'create-additional-creators-malformed',
      `additional_creators is ${JSON.stringify(additional_creators)}`,
      (version) => validCreate(version, { additional_creators }),
    ),
  ),
]

type Broken = {
  readonly event?: Pdu
  readonly cited?: readonly Pdu[]
  readonly rejected?: Pdu
  readonly create?: Pdu | undefined
}

/** A message of Bob's, checked with its proper auth events and then with others. */
function citedCase(rule: RuleCase['rule'], broken: string, breakIt: (room: TestRoom, event: Pdu) => Broken): RuleCase {
  return {
    rule,
    broken,
    verdicts(version) {
      const room = roomWithBob(version)
      const event = room.message('@bob:b')
      return { valid: verdictOnCited(room, event, {}), broken: verdictOnCited(room, event, breakIt(room, event)) }
    },
  }
}

function roomWithBob(version: RoomVersion): TestRoom {
  return aRoom({ version }).join('@bob:b').powerLevels({}).join('@cat:c')
}

function verdictOnCited(room: TestRoom, event: Pdu, broken: Broken): AuthVerdict {
  const proper = room.events.filter(({ eventId }) => event.authEvents.includes(eventId))
  const cited = (broken.cited ?? proper).map((entry) => ({ event: entry, rejected: entry === broken.rejected }))
  const create = 'create' in broken ? broken.create : room.create
  return checkAuthEvents(room.rules, broken.event ?? event, {
    cited,
    create: create && { event: create, rejected: create === broken.rejected },
  })
}

function citedBy(room: TestRoom, event: Pdu): Pdu[] {
  return room.events.filter(({ eventId }) => event.authEvents.includes(eventId))
}

export const AUTH_EVENTS_CASES: readonly RuleCase[] = [
  citedCase('room-not-created', 'the create event was rejected', (room) => ({ rejected: room.create })),
  citedCase('room-not-created', 'the create event is not known', () => ({ create: undefined })),
  citedCase('room-not-created', 'the room is another one', (_room, event) => ({
    event: { ...event, roomId: `!${'A'.repeat(43)}` as RoomId },
  })),
  citedCase('room-not-created', 'the room id is of no create event but a member', (room, event) => ({
    event: { ...event, roomId: `!${room.events[1]!.eventId.slice(1)}` as RoomId },
    create: room.events[1],
  })),
  citedCase('auth-events-duplicate', 'one event is cited twice', (room, event) => ({
    cited: [...citedBy(room, event), citedBy(room, event)[1]!],
  })),
  citedCase('auth-events-duplicate', 'two power levels are cited', (room, event) => ({
    cited: [...citedBy(room, event), room.stateEvent('@ann:a', 'm.room.power_levels', '', { ban: 1 })],
  })),
  citedCase('auth-events-unselected', 'the membership of somebody else is cited', (room, event) => ({
    cited: [...citedBy(room, event), room.state.get('m.room.member', '@cat:c')!],
  })),
  citedCase('auth-events-unselected', 'the join rules are cited by a message', (room, event) => ({
    cited: [...citedBy(room, event), room.state.get('m.room.join_rules', '')!],
  })),
  citedCase('auth-events-unselected', 'a message is cited', (room, event) => ({
    cited: [...citedBy(room, event), room.message('@bob:b')],
  })),
  citedCase('auth-events-unselected', 'a message that calls itself power levels is cited', (room, event) => ({
    cited: [
      ...citedBy(room, event).filter(({ type }) => type !== 'm.room.power_levels'),
      room.event({ sender: '@bob:b', type: 'm.room.power_levels' }),
    ],
  })),
  citedCase('auth-events-unselected', 'power levels with another state key are cited', (room, event) => ({
    cited: [...citedBy(room, event), room.stateEvent('@ann:a', 'm.room.power_levels', 'x', {})],
  })),
  citedCase('auth-events-rejected', 'the membership was rejected', (room) => ({
    rejected: room.state.get('m.room.member', '@bob:b')!,
  })),
  citedCase('auth-events-without-create', 'the create event is not cited', (room, event) => ({
    cited: citedBy(room, event).filter(({ type }) => type !== 'm.room.create'),
  })),
  citedCase('auth-events-of-other-room', 'the membership is that in another room', (room, event) => ({
    cited: citedBy(room, event).map((cited) =>
      cited.type === 'm.room.member' ? { ...cited, roomId: '!other:a' as RoomId } : cited,
    ),
  })),
  {
    rule: 'auth-events-unselected',
    broken: 'the create event is cited where the room id names it',
    verdicts(version) {
      const room = roomWithBob(version)
      const event = room.message('@bob:b')
      const valid = verdictOnCited(room, event, {})
      if (!room.rules.roomIdIsCreateHash) {
        // Elsewhere the like of it: a second create event with a state key of its own.
        const second = { ...room.create, stateKey: 'x' }
        return { valid, broken: verdictOnCited(room, event, { cited: [...citedBy(room, event), second] }) }
      }
      return { valid, broken: verdictOnCited(room, event, { cited: [...citedBy(room, event), room.create] }) }
    },
  },
]

export const ROOM_CASES: readonly RuleCase[] = [
  {
    rule: 'room-not-created',
    broken: 'the room id is not that of the create event in the state',
    verdicts(version) {
      const room = roomWithBob(version)
      const event = room.message('@bob:b')
      return inOneRoom(room, event, { ...event, roomId: `!${'A'.repeat(43)}` as RoomId })
    },
  },
  {
    rule: 'room-not-created',
    broken: 'the state has no create event',
    verdicts: verdictsWithoutCreate,
  },
  {
    rule: 'auth-events-without-create',
    broken: 'the state has no create event',
    verdicts: verdictsWithoutCreate,
  },
  {
    rule: 'not-federated',
    broken: 'the sender is of another server',
    verdicts(version) {
      const room = aRoom({ version, content: { 'm.federate': false } }).join('@bob:a')
      return inOneRoom(room, room.message('@bob:a'), { ...room.message('@bob:a'), sender: '@bob:b' as Pdu['sender'] })
    },
  },
  {
    rule: 'not-federated',
    broken: 'somebody of another server joins',
    verdicts(version) {
      const room = aRoom({ version, content: { 'm.federate': false } })
      return inOneRoom(room, room.member('@bob:a', '@bob:a', 'join'), room.member('@bob:b', '@bob:b', 'join'))
    },
  },
  {
    rule: 'aliases-without-state-key',
    broken: 'there is no state key',
    verdicts(version) {
      const room = aRoom({ version })
      const valid = room.stateEvent('@nobody:x', 'm.room.aliases', 'x', { aliases: [] })
      return inOneRoom(room, valid, { ...valid, stateKey: undefined })
    },
  },
  {
    rule: 'aliases-of-other-server',
    broken: 'the state key is another server',
    verdicts(version) {
      const room = aRoom({ version })
      const valid = room.stateEvent('@nobody:x', 'm.room.aliases', 'x', { aliases: [] })
      return inOneRoom(room, valid, { ...valid, stateKey: 'a' })
    },
  },
]

function verdictsWithoutCreate(version: RoomVersion): ReturnType<RuleCase['verdicts']> {
  const room = roomWithBob(version)
  const event = room.message('@bob:b')
  const rest = authStateOf(room.events.slice(1))
  return { valid: room.verdict(event), broken: authorize(room.rules, event, rest) }
}
