import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { aRoom } from '../event/testing/a-room.ts'
import type { TestRoom } from '../event/testing/a-room.ts'
import type { Pdu } from '../event/pdu.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { ROOM_VERSIONS, rulesFor } from '../room-version/rules.ts'
import type { RoomVersion } from '../room-version/rules.ts'
import { checkAuthEvents } from './auth-events.ts'
import { AUTH_RULES, authRuleNumber } from './auth-rules.ts'
import { authStateOf } from './auth-state.ts'
import { authorize } from './authorize.ts'
import { powerLevels } from './power-levels.ts'

const USERS = ['@ann:a', '@bob:b', '@cat:c', '@dan:d', '@eve:e']
const PROPERTIES = ['users_default', 'events_default', 'state_default', 'ban', 'redact', 'kick', 'invite']
const TYPES = ['m.room.message', 'm.room.name', 'm.room.power_levels', 'm.room.encryption']

const version = fc.constantFrom<RoomVersion>(...ROOM_VERSIONS)
const user = fc.constantFrom(...USERS)
const level = fc.constantFrom(-1, 0, 1, 49, 50, 51, 99, 100, 101, Number.MAX_SAFE_INTEGER)

const some = <T>(keys: readonly string[], value: fc.Arbitrary<T>): fc.Arbitrary<{ [key: string]: T }> =>
  fc.dictionary(fc.constantFrom(...keys), value, { maxKeys: keys.length })

const powerContent = fc
  .record({
    properties: some(PROPERTIES, level),
    users: some(USERS.slice(1), level),
    events: some(TYPES, level),
    notifications: some(['room', 'other'], level),
  })
  .map(({ properties, ...sections }): JsonObject => ({ ...properties, ...sections }))

/** A room with any power levels in which everybody is a member. */
function roomWith(roomVersion: RoomVersion, content: JsonObject): TestRoom {
  let room = aRoom({ version: roomVersion })
  for (const member of USERS.slice(1)) room = room.join(member)
  return room.powerLevels(content)
}

/** Levels, and the same with a few changes. */
const powerChange = fc
  .tuple(powerContent, some(PROPERTIES, level), some(USERS.slice(1), level), some(TYPES, level), fc.nat({ max: 7 }))
  .map(([before, properties, users, events, which]): readonly [JsonObject, JsonObject] => {
    const after: { [key: string]: JsonValue } = { ...before, ...((which & 1) === 0 ? {} : properties) }
    if ((which & 2) !== 0) after['users'] = { ...(before['users'] as JsonObject), ...users }
    if ((which & 4) !== 0) after['events'] = events
    return [before, after]
  })

test('nobody raises or takes a level above their own, whatever they send', () => {
  let allowed = 0
  fc.assert(
    fc.property(version, powerChange, user, (roomVersion, [before, after], sender) => {
      const room = roomWith(roomVersion, before)
      const change = room.stateEvent(sender, 'm.room.power_levels', '', after)
      if (!room.verdict(change).allowed) return
      allowed += 1
      const mine = powerLevels(room.rules, room.state).ofUser(sender)
      for (const [section, key] of allKeys(room)) {
        const [from, to] = [valueAt(before, section, key), valueAt(after, section, key)]
        if (from === to) continue
        assert.ok(to === undefined || to <= mine, `${section} ${key} set to ${to} by ${mine}`)
        assert.ok(from === undefined || from <= mine, `${section} ${key} taken from ${from} by ${mine}`)
        if (section === 'users' && key !== sender) assert.ok(from === undefined || from < mine)
      }
    }),
    { numRuns: 2000 },
  )
  assert.ok(allowed > 200, `only ${allowed} changes were allowed at all`)
})

function allKeys({ rules }: TestRoom): (readonly [string, string])[] {
  return [
    ...PROPERTIES.map((key) => ['', key] as const),
    ...USERS.map((key) => ['users', key] as const),
    ...TYPES.map((key) => ['events', key] as const),
    ...(rules.notificationLevelsGuarded ? ['room', 'other'] : []).map((key) => ['notifications', key] as const),
  ]
}

function valueAt(content: JsonObject, section: string, key: string): number | undefined {
  const part = section === '' ? content : (content[section] as JsonObject)
  return part[key] as number | undefined
}

test('who may do something may do it with a higher level, too', () => {
  const action = fc.constantFrom<(room: TestRoom) => Pdu>(
    (room) => room.message('@bob:b'),
    (room) => room.stateEvent('@bob:b', 'm.room.name', '', {}),
    (room) => room.stateEvent('@bob:b', 'm.room.third_party_invite', 'x', {}),
    (room) => room.member('@bob:b', '@cat:c', 'leave'),
    (room) => room.member('@bob:b', '@cat:c', 'ban'),
    (room) => room.member('@bob:b', '@zoe:z', 'invite'),
  )
  fc.assert(
    fc.property(version, powerContent, action, (roomVersion, content, event) => {
      const room = roomWith(roomVersion, content)
      const more = { ...(content['users'] as JsonObject), '@bob:b': Number.MAX_SAFE_INTEGER }
      const higher = roomWith(roomVersion, { ...content, users: more })
      const targetIsHigher = powerLevels(room.rules, room.state).ofUser('@cat:c') >= Number.MAX_SAFE_INTEGER
      if (room.verdict(event(room)).allowed && !targetIsHigher) {
        assert.equal(higher.verdict(event(higher)).allowed, true)
      }
    }),
    { numRuns: 1000 },
  )
})

const json = fc.jsonValue({ maxDepth: 3 }) as fc.Arbitrary<JsonValue>
const oddKey = fc.constantFrom(
  ...PROPERTIES,
  'membership',
  'join_rule',
  'creator',
  'm.federate',
  'room_version',
  'additional_creators',
  'users',
  'events',
  'notifications',
  'third_party_invite',
  'signed',
  'public_key',
  'public_keys',
  'join_authorised_via_users_server',
  'redacts',
  '__proto__',
)
const oddString = fc.constantFrom(
  'join',
  'leave',
  'ban',
  'invite',
  'knock',
  'public',
  'restricted',
  '',
  '1',
  '12',
  '@bob:b',
)
const oddContent = fc.dictionary(oddKey, fc.oneof(json, oddString, fc.dictionary(oddKey, json)), { maxKeys: 6 })
const oddEvent = fc.record({
  type: fc.constantFrom(
    'm.room.create',
    'm.room.member',
    'm.room.power_levels',
    'm.room.join_rules',
    'm.room.third_party_invite',
    'm.room.aliases',
    'm.room.redaction',
    'm.room.message',
  ),
  stateKey: fc.option(fc.oneof(user, fc.constant(''), fc.string()), { nil: undefined }),
  sender: user,
  content: oddContent,
})

test('no event in no state of anything throws, and each refusal is a rule of the room version', () => {
  fc.assert(
    fc.property(version, fc.array(oddEvent, { maxLength: 8 }), oddEvent, (roomVersion, before, odd) => {
      const rules = rulesFor(roomVersion)!
      const base = aRoom({ version: roomVersion })
      const state = authStateOf([...base.events, ...before.map((entry) => pduOf(base, entry))])
      const event = pduOf(base, odd)
      const verdicts = [
        authorize(rules, event, state),
        authorize(rules, event, state, { signedBy: new Set() }),
        checkAuthEvents(rules, event, { cited: base.events.map((cited) => ({ event: cited, rejected: false })) }),
      ]
      for (const verdict of verdicts) {
        if (verdict.allowed) continue
        assert.ok(authRuleNumber(verdict.rule, rules) !== undefined, `${verdict.rule} in ${roomVersion}`)
        assert.equal(verdict.message, AUTH_RULES[verdict.rule].message)
      }
    }),
    { numRuns: 3000 },
  )
})

type Odd = { type: string; stateKey: string | undefined; sender: string; content: JsonObject }

function pduOf(room: TestRoom, odd: Odd): Pdu {
  return { ...room.message('@ann:a'), ...odd, sender: odd.sender as Pdu['sender'] }
}
