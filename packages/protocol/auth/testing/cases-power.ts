/** Cases for what members may send, for power levels and for redactions. */
import { aRoom } from '../../event/testing/a-room.ts'
import type { JsonObject, JsonValue } from '../../json/value.ts'
import type { RoomVersion } from '../../room-version/rules.ts'
import type { AuthRule } from '../auth-rules.ts'
import { inOneRoom, inTwoRooms, levelledRoom, levels } from './rule-case.ts'
import type { RuleCase } from './rule-case.ts'

export const MEMBER_CASES: readonly RuleCase[] = [
  ...['leave', 'invite', 'ban', 'knock'].map((membership): RuleCase => ({
    rule: 'sender-not-joined',
    broken: `the membership is ${membership}`,
    verdicts(version) {
      const room = aRoom({ version }).join('@bob:b')
      return inTwoRooms({ valid: room, broken: room.put('@bob:b', membership) }, (in_) => in_.message('@bob:b'))
    },
  })),
  {
    rule: 'sender-not-joined',
    broken: 'the sender was never there, and sends as an invitation of a third party',
    verdicts(version) {
      const room = aRoom({ version }).join('@bob:b')
      const event = (sender: string) => room.stateEvent(sender, 'm.room.third_party_invite', 'x', {})
      return inOneRoom(room, event('@bob:b'), event('@cat:c'))
    },
  },
  {
    rule: 'power-too-low',
    broken: 'messages need more',
    verdicts: (version) =>
      inTwoRooms(
        { valid: levelledRoom(version, { events_default: 20 }), broken: levelledRoom(version, { events_default: 21 }) },
        (room) => room.message('@cat:c'),
      ),
  },
  {
    rule: 'power-too-low',
    broken: 'this type of message needs more',
    verdicts: (version) =>
      inTwoRooms(
        { valid: levelledRoom(version), broken: levelledRoom(version, { events: { 'm.room.message': 21 } }) },
        (room) => room.message('@cat:c'),
      ),
  },
  {
    rule: 'power-too-low',
    broken: 'state needs 50 where nothing else is said',
    verdicts(version) {
      const room = levelledRoom(version)
      const name = (sender: string) => room.stateEvent(sender, 'm.room.name', '', { name: 'x' })
      return inOneRoom(room, name('@bob:b'), name('@cat:c'))
    },
  },
  {
    rule: 'power-too-low',
    broken: 'without power levels only the creator sends state',
    verdicts(version) {
      const room = aRoom({ version }).join('@bob:b')
      const name = (sender: string) => room.stateEvent(sender, 'm.room.name', '', { name: 'x' })
      return inOneRoom(room, name('@ann:a'), name('@bob:b'))
    },
  },
  {
    rule: 'state-key-of-other-user',
    broken: 'the state key is another user',
    verdicts(version) {
      const room = levelledRoom(version)
      const event = (stateKey: string) => room.stateEvent('@bob:b', 'org.example.mine', stateKey, {})
      return inOneRoom(room, event('@bob:b'), event('@cat:c'))
    },
  },
  {
    rule: 'state-key-of-other-user',
    broken: 'the state key only begins as the sender',
    verdicts(version) {
      const room = levelledRoom(version)
      const event = (stateKey: string) => room.stateEvent('@adm:a', 'org.example.mine', stateKey, {})
      return inOneRoom(room, event('adm:a'), event('@adm:a '))
    },
  },
  {
    rule: 'redaction-not-allowed',
    broken: 'the event is of another server, and the level too low',
    verdicts(version) {
      const room = levelledRoom(version)
      const redaction = (sender: string, redacts: string) => room.event({ sender, type: 'm.room.redaction', redacts })
      return inOneRoom(room, redaction('@cat:c', '$x:c'), redaction('@cat:c', '$x:b'))
    },
  },
  {
    rule: 'redaction-not-allowed',
    broken: 'redacting needs more',
    verdicts: (version) =>
      inTwoRooms(
        { valid: levelledRoom(version, { redact: 50 }), broken: levelledRoom(version, { redact: 51 }) },
        (room) => room.event({ sender: '@bob:b', type: 'm.room.redaction', redacts: '$x:c' }),
      ),
  },
  {
    rule: 'redaction-not-allowed',
    broken: 'it redacts nothing',
    verdicts(version) {
      const room = levelledRoom(version)
      const redaction = (redacts: string) => room.event({ sender: '@cat:c', type: 'm.room.redaction', redacts })
      return inOneRoom(room, redaction('$x:c'), { ...redaction('$x:c'), redacts: undefined })
    },
  },
]

type Change = {
  /** The levels before, besides those of the usual users. */
  readonly before?: JsonObject
  /** The levels after, if allowed and if refused. */
  readonly valid: JsonObject
  readonly broken: JsonObject
}

/** Bob (50) changes the power levels in one way that is allowed and in one that is not. */
function changeCase(rule: AuthRule, broken: string, change: Change): RuleCase {
  return {
    rule,
    broken,
    verdicts(version) {
      const room = levelledRoom(version, change.before)
      const event = (content: JsonObject) => room.stateEvent('@bob:b', 'm.room.power_levels', '', levels(room, content))
      return inOneRoom(room, event(change.valid), event(change.broken))
    },
  }
}

const PROPERTIES = ['users_default', 'events_default', 'state_default', 'ban', 'redact', 'kick', 'invite']
const NOT_LEVELS: readonly JsonValue[] = [
  'fifty',
  '',
  '1.5',
  '0x10',
  '1e2',
  '1 0',
  '--1',
  '+',
  null,
  true,
  [50],
  { a: 1 },
]

const MALFORMED: readonly RuleCase[] = [
  ...PROPERTIES.map((property) =>
    changeCase('power-levels-property-malformed', `${property} is no integer`, {
      valid: { [property]: 10 },
      broken: { [property]: 'x' },
    }),
  ),
  ...NOT_LEVELS.map((ban) =>
    changeCase('power-levels-property-malformed', `ban is ${JSON.stringify(ban)}`, {
      valid: { ban: 50 },
      broken: { ban },
    }),
  ),
  ...NOT_LEVELS.map((level) =>
    changeCase('power-levels-event-malformed', `the level of an event is ${JSON.stringify(level)}`, {
      valid: { events: { 'm.room.name': 50 } },
      broken: { events: { 'm.room.name': level } },
    }),
  ),
  ...[[], 'x', 5, null].map((events) =>
    changeCase('power-levels-event-malformed', `events is ${JSON.stringify(events)}`, {
      valid: { events: {} },
      broken: { events },
    }),
  ),
  ...NOT_LEVELS.map((level) =>
    changeCase('power-levels-users-malformed', `the level of a user is ${JSON.stringify(level)}`, {
      valid: { users: { '@dan:d': 10 } },
      broken: { users: { '@dan:d': level } },
    }),
  ),
  ...['dan', '@dan', '@dan:', 'dan:d', '', '@dan:d d'].map((user) =>
    changeCase('power-levels-users-malformed', `a user is ${JSON.stringify(user)}`, {
      valid: { users: { '@dan:d': 10 } },
      broken: { users: { [user]: 10 } },
    }),
  ),
  ...[[], 'x', 5, null].map((users): RuleCase => ({
    rule: 'power-levels-users-malformed',
    broken: `users is ${JSON.stringify(users)}`,
    verdicts(version) {
      const room = aRoom({ version })
      const event = (content: JsonObject) => room.stateEvent('@ann:a', 'm.room.power_levels', '', content)
      return inOneRoom(room, event({ users: { '@bob:b': 10 } }), event({ users }))
    },
  })),
]

const CREATORS: readonly RuleCase[] = ['@ann:a', '@amy:a'].map((creator) => ({
  rule: 'power-levels-name-creator',
  broken: `${creator} is listed`,
  verdicts(version: RoomVersion) {
    const room = aRoom({ version, content: { additional_creators: ['@amy:a'] } })
    const event = (users: JsonObject) => room.stateEvent('@ann:a', 'm.room.power_levels', '', { users })
    return inOneRoom(room, event({ '@bob:b': 100 }), event({ '@bob:b': 100, [creator]: 100 }))
  },
}))

/** So that Bob may send power levels whatever `state_default` is. */
const MINE: JsonObject = { 'm.room.power_levels': 50 }

const PROPERTY_CHANGES: readonly RuleCase[] = PROPERTIES.flatMap((property) => {
  const having = (level: JsonValue): JsonObject => ({ [property]: level, events: MINE })
  const without = { events: MINE }
  return [
    changeCase('power-levels-property-above-sender', `${property} was above the sender and is lowered`, {
      before: having(51),
      valid: having(51),
      broken: having(10),
    }),
    changeCase('power-levels-property-above-sender', `${property} was above the sender and is removed`, {
      before: having(51),
      valid: having(51),
      broken: without,
    }),
    changeCase('power-levels-property-raised-above-sender', `${property} is raised above the sender`, {
      before: having(0),
      valid: having(50),
      broken: having(51),
    }),
    changeCase('power-levels-property-raised-above-sender', `${property} is added above the sender`, {
      before: without,
      valid: having(50),
      broken: having(51),
    }),
  ]
})

/** In `notifications` only from room version 6 on; before that the case is one of `events`, too. */
function eventCase(section: 'events' | 'notifications', rule: AuthRule, broken: string, change: Change): RuleCase {
  return {
    rule,
    broken: `${section}: ${broken}`,
    verdicts(version) {
      const room = aRoom({ version })
      const where = room.rules.notificationLevelsGuarded ? section : 'events'
      const placed = (levelsOf: JsonObject): JsonObject =>
        where === 'events' ? { events: { ...MINE, ...levelsOf } } : { events: MINE, notifications: levelsOf }
      const { before = {}, valid, broken: refused } = change
      const moved = { before: placed(before), valid: placed(valid), broken: placed(refused) }
      return changeCase(rule, broken, moved).verdicts(version)
    },
  }
}

const EVENT_CHANGES: readonly RuleCase[] = (['events', 'notifications'] as const).flatMap((section) => [
  eventCase(section, 'power-levels-event-above-sender', 'one above the sender is lowered', {
    before: { room: 51, other: 50 },
    valid: { room: 51, other: 10 },
    broken: { room: 10, other: 50 },
  }),
  eventCase(section, 'power-levels-event-above-sender', 'one above the sender is removed', {
    before: { room: 51, other: 50 },
    valid: { room: 51 },
    broken: { other: 50 },
  }),
  eventCase(section, 'power-levels-event-raised-above-sender', 'one is raised above the sender', {
    before: { room: 0 },
    valid: { room: 50 },
    broken: { room: 51 },
  }),
  eventCase(section, 'power-levels-event-raised-above-sender', 'one is added above the sender', {
    valid: { room: 50 },
    broken: { room: 51 },
  }),
])

const users = (entries: JsonObject): JsonObject => ({ users: entries })

const USER_CHANGES: readonly RuleCase[] = [
  changeCase('power-levels-user-not-below-sender', 'an equal is lowered', {
    before: users({ '@dan:d': 50 }),
    valid: users({ '@dan:d': 50, '@cat:c': 10 }),
    broken: users({ '@dan:d': 49 }),
  }),
  changeCase('power-levels-user-not-below-sender', 'an equal is removed', {
    before: users({ '@dan:d': 50 }),
    valid: users({ '@dan:d': 50, '@cat:c': 0 }),
    broken: {},
  }),
  changeCase('power-levels-user-not-below-sender', 'one above is lowered', {
    before: users({ '@dan:d': 51 }),
    valid: users({ '@dan:d': 51, '@cat:c': 10 }),
    broken: users({ '@dan:d': 0 }),
  }),
  changeCase('power-levels-user-raised-above-sender', 'one is raised above the sender', {
    valid: users({ '@cat:c': 50 }),
    broken: users({ '@cat:c': 51 }),
  }),
  changeCase('power-levels-user-raised-above-sender', 'one is added above the sender', {
    valid: users({ '@dan:d': 50 }),
    broken: users({ '@dan:d': 51 }),
  }),
  changeCase('power-levels-user-raised-above-sender', 'the sender raises themselves', {
    valid: users({ '@bob:b': 49 }),
    broken: users({ '@bob:b': 51 }),
  }),
]

export const POWER_CASES: readonly RuleCase[] = [
  ...MALFORMED,
  ...CREATORS,
  ...PROPERTY_CHANGES,
  ...EVENT_CHANGES,
  ...USER_CHANGES,
]
