import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { aRoom, buildCreate } from '../event/testing/a-room.ts'
import type { TestRoom } from '../event/testing/a-room.ts'
import type { Pdu } from '../event/pdu.ts'
import { ROOM_VERSIONS, rulesFor } from '../room-version/rules.ts'
import type { RoomRules, RoomVersion } from '../room-version/rules.ts'
import { checkAuthEvents } from './auth-events.ts'
import { authStateOf } from './auth-state.ts'
import { authorize } from './authorize.ts'
import { authorisingServerOf } from './membership.ts'
import { levelledRoom, levels } from './testing/rule-case.ts'

/** The rules that allow: each is reached by an event that a later rule would refuse. */
type AllowedCase = {
  /** The number from this room version on. */
  readonly at: Readonly<Record<number, string>>
  readonly allows: string
  readonly when?: (rules: RoomRules) => boolean
  readonly room: (version: RoomVersion) => TestRoom
  readonly event: (room: TestRoom) => Pdu
}

const join = (user: string) => (room: TestRoom) => room.member(user, user, 'join')
const publicRoom = (version: RoomVersion): TestRoom => aRoom({ version })

const CASES: readonly AllowedCase[] = [
  {
    at: { 1: '4.3' },
    allows: 'aliases of a server with nobody in the room',
    when: (rules) => rules.aliasesRule,
    room: publicRoom,
    event: (room) => room.stateEvent('@nobody:x', 'm.room.aliases', 'x', {}),
  },
  {
    at: { 1: '5.2.1', 6: '4.2.1', 8: '4.3.1', 12: '5.3.1' },
    allows: 'the creator joins first, though nobody is invited',
    room: (version) => aRoom({ version }).put('@ann:a', 'leave').joinRule('invite'),
    event: (room) => room.event({ ...memberDraft('@ann:a', 'join'), prev: [room.create] }),
  },
  {
    at: { 1: '5.2.4', 6: '4.2.4', 8: '4.3.4', 12: '5.3.4' },
    allows: 'an invited user joins',
    room: (version) => aRoom({ version }).joinRule('invite').put('@bob:b', 'invite'),
    event: join('@bob:b'),
  },
  {
    at: { 1: '5.2.4', 6: '4.2.4', 8: '4.3.4', 12: '5.3.4' },
    allows: 'a member joins again',
    room: (version) => aRoom({ version }).join('@bob:b').joinRule('invite'),
    event: join('@bob:b'),
  },
  {
    at: { 7: '4.2.4', 8: '4.3.4', 12: '5.3.4' },
    allows: 'an invited user joins where one may knock',
    when: (rules) => rules.knocking,
    room: (version) => aRoom({ version }).joinRule('knock').put('@bob:b', 'invite'),
    event: join('@bob:b'),
  },
  ...(['invite', 'join'] as const).map((membership): AllowedCase => ({
    at: { 8: '4.3.5.1', 12: '5.3.5.1' },
    allows: `a user with membership ${membership} joins a restricted room without anybody vouching`,
    when: (rules) => rules.restrictedJoins,
    room: (version) => aRoom({ version }).joinRule('restricted').put('@bob:b', membership),
    event: join('@bob:b'),
  })),
  {
    at: { 8: '4.3.5.3', 12: '5.3.5.3' },
    allows: 'a member who may invite vouches for the join',
    when: (rules) => rules.restrictedJoins,
    room: (version) => aRoom({ version }).join('@cat:c').joinRule('restricted'),
    event: (room) => room.member('@bob:b', '@bob:b', 'join', { join_authorised_via_users_server: '@cat:c' }),
  },
  {
    at: { 10: '4.3.5.3', 12: '5.3.5.3' },
    allows: 'the same where one may knock, too',
    when: (rules) => rules.knockRestricted,
    room: (version) => aRoom({ version }).join('@cat:c').joinRule('knock_restricted'),
    event: (room) => room.member('@bob:b', '@bob:b', 'join', { join_authorised_via_users_server: '@cat:c' }),
  },
  {
    at: { 1: '5.2.5', 6: '4.2.5', 8: '4.3.6', 12: '5.3.6' },
    allows: 'anybody joins a public room',
    room: publicRoom,
    event: join('@bob:b'),
  },
  {
    at: { 1: '5.3.4', 6: '4.3.4', 8: '4.4.4', 12: '5.4.4' },
    allows: 'a member without any level invites, as inviting needs 0 by default',
    room: (version) => levelledRoom(version).join('@dan:d'),
    event: (room) => room.member('@dan:d', '@eve:e', 'invite'),
  },
  ...(['invite', 'join'] as const).map((membership): AllowedCase => ({
    at: { 1: '5.4.1', 6: '4.4.1', 8: '4.5.1', 12: '5.5.1' },
    allows: `a user with membership ${membership} leaves`,
    room: (version) => aRoom({ version }).put('@bob:b', membership),
    event: (room) => room.member('@bob:b', '@bob:b', 'leave'),
  })),
  {
    at: { 7: '4.4.1', 8: '4.5.1', 12: '5.5.1' },
    allows: 'a user takes a knock back',
    when: (rules) => rules.knocking,
    room: (version) => aRoom({ version }).put('@bob:b', 'knock'),
    event: (room) => room.member('@bob:b', '@bob:b', 'leave'),
  },
  {
    at: { 1: '5.4.4', 6: '4.4.4', 8: '4.5.4', 12: '5.5.4' },
    allows: 'a moderator removes a user',
    room: levelledRoom,
    event: (room) => room.member('@bob:b', '@cat:c', 'leave'),
  },
  {
    at: { 1: '5.4.4', 6: '4.4.4', 8: '4.5.4', 12: '5.5.4' },
    allows: 'a moderator lifts a ban',
    room: (version) => levelledRoom(version).put('@cat:c', 'ban'),
    event: (room) => room.member('@bob:b', '@cat:c', 'leave'),
  },
  {
    at: { 1: '5.5.2', 6: '4.5.2', 8: '4.6.2', 12: '5.6.2' },
    allows: 'a moderator bans somebody who was never there',
    room: levelledRoom,
    event: (room) => room.member('@bob:b', '@zoe:z', 'ban'),
  },
  ...(['leave', 'knock'] as const).map((membership): AllowedCase => ({
    at: { 7: '4.6.3', 8: '4.7.3', 12: '5.7.3' },
    allows: `a user with membership ${membership} knocks`,
    when: (rules) => rules.knocking,
    room: (version) => aRoom({ version }).joinRule('knock').put('@bob:b', membership),
    event: (room) => room.member('@bob:b', '@bob:b', 'knock'),
  })),
  {
    at: { 10: '4.7.3', 12: '5.7.3' },
    allows: 'a user knocks at a room that some may join',
    when: (rules) => rules.knockRestricted,
    room: (version) => aRoom({ version }).joinRule('knock_restricted'),
    event: (room) => room.member('@bob:b', '@bob:b', 'knock'),
  },
  {
    at: { 1: '7.1', 6: '6.1', 12: '7.1' },
    allows: 'who may invite sends a third-party invitation, though not other state',
    room: levelledRoom,
    event: (room) => room.stateEvent('@cat:c', 'm.room.third_party_invite', 'x', {}),
  },
  {
    at: { 1: '10.2', 6: '9.2', 10: '9.4', 12: '10.5' },
    allows: 'the first power levels hand out any level',
    room: publicRoom,
    event: (room) => room.stateEvent('@ann:a', 'm.room.power_levels', '', { users: { '@bob:b': 1000 }, ban: 1000 }),
  },
  {
    at: { 1: '10.6', 6: '9.6', 10: '9.8', 12: '10.9' },
    allows: 'somebody lowers themselves',
    room: levelledRoom,
    event: (room) => room.stateEvent('@bob:b', 'm.room.power_levels', '', levels(room, { users: { '@bob:b': 0 } })),
  },
  {
    at: { 1: '10.8', 6: '9.8', 10: '9.10', 12: '10.11' },
    allows: 'power levels without a change',
    room: levelledRoom,
    event: (room) => room.stateEvent('@bob:b', 'm.room.power_levels', '', levels(room)),
  },
  {
    at: { 1: '11.1' },
    allows: 'who has the level redacts an event of another server',
    when: (rules) => rules.redactionRule,
    room: levelledRoom,
    event: (room) => room.event({ sender: '@bob:b', type: 'm.room.redaction', redacts: '$x:elsewhere' }),
  },
  {
    at: { 1: '11.2' },
    allows: 'a user redacts an event of the same server',
    when: (rules) => rules.redactionRule,
    room: levelledRoom,
    event: (room) => room.event({ sender: '@cat:c', type: 'm.room.redaction', redacts: '$x:c' }),
  },
  {
    at: { 1: '12', 3: '11', 6: '10', 12: '11' },
    allows: 'a redaction, which may be applied or not later',
    when: (rules) => !rules.redactionRule,
    room: levelledRoom,
    event: (room) => room.event({ sender: '@cat:c', type: 'm.room.redaction', redacts: `$${'A'.repeat(43)}` }),
  },
  {
    at: { 1: '12', 3: '11', 6: '10', 12: '11' },
    allows: 'a message',
    room: levelledRoom,
    event: (room) => room.message('@cat:c'),
  },
  {
    at: { 6: '10', 12: '11' },
    allows: 'aliases as any other state',
    when: (rules) => !rules.aliasesRule,
    room: levelledRoom,
    event: (room) => room.stateEvent('@bob:b', 'm.room.aliases', 'elsewhere', {}),
  },
]

function memberDraft(user: string, membership: string) {
  return { sender: user, type: 'm.room.member', stateKey: user, content: { membership } }
}

function numberAt(at: AllowedCase['at'], version: RoomVersion): string {
  const from = Object.keys(at)
    .map(Number)
    .filter((first) => first <= Number(version))
  return at[Math.max(...from)] ?? '?'
}

for (const version of ROOM_VERSIONS) {
  const rules = rulesFor(version)!
  describe(`room version ${version} allows`, () => {
    for (const { at, allows, when, room, event } of CASES) {
      if (when !== undefined && !when(rules)) continue
      test(`[${numberAt(at, version)}] ${allows}`, () => {
        const before = room(version)
        assert.deepEqual(before.verdict(event(before)), { allowed: true })
      })
    }

    test('[1.4, 1.5] a create event that names this version, or that names none', () => {
      const create = buildCreate(rules, '@ann:a')
      assert.deepEqual(authorize(rules, create, authStateOf([])), { allowed: true })
      const { room_version: _version, ...content } = create.content
      assert.deepEqual(authorize(rules, { ...create, content }, authStateOf([])), { allowed: true })
    })

    test('[2, 3] a create event whatever it cites', () => {
      const create = buildCreate(rules, '@ann:a')
      assert.deepEqual(checkAuthEvents(rules, create, { cited: [{ event: create, rejected: true }] }), {
        allowed: true,
      })
    })

    test("[3, 4] users of the creator's server in a room that does not federate", () => {
      const room = aRoom({ version, content: { 'm.federate': false } })
      assert.deepEqual(room.verdict(room.member('@bob:a', '@bob:a', 'join')), { allowed: true })
    })

    test('[3, 4] everybody where m.federate is anything but false', () => {
      for (const federate of ['false', 0, null, true]) {
        const room = aRoom({ version, content: { 'm.federate': federate } })
        assert.deepEqual(room.verdict(room.member('@bob:b', '@bob:b', 'join')), { allowed: true })
      }
    })
  })
}

test('[5.2.1, 4.2.1, 4.3.1, 5.3.1] only the creator needs no invitation after the create event', () => {
  for (const version of ROOM_VERSIONS) {
    const room = aRoom({ version, content: { additional_creators: ['@amy:a'] } }).joinRule('invite')
    for (const user of ['@bob:b', '@amy:a']) {
      const event = room.event({ ...memberDraft(user, 'join'), prev: [room.create] })
      assert.equal(room.verdict(event).allowed, false)
    }
    const notFirst = room.put('@ann:a', 'leave')
    const later = notFirst.event({ ...memberDraft('@ann:a', 'join'), prev: [room.create, notFirst.events.at(-1)!] })
    assert.equal(notFirst.verdict(later).allowed, false)
  }
})

test('[5.2.1] before version 11 the creator is the one in the content, later the sender', () => {
  for (const version of ROOM_VERSIONS) {
    const rules = rulesFor(version)!
    const create = buildCreate(rules, '@ann:a', { creator: '@amy:a' })
    const empty = authStateOf([create])
    const joins = ['@ann:a', '@amy:a'].filter((user) => {
      const room = aRoom({ version })
      const event = { ...room.member(user, user, 'join'), prevEvents: [create.eventId], roomId: create.roomId }
      return authorize(rules, event, empty).allowed
    })
    assert.deepEqual(joins, [rules.creatorInContent ? '@amy:a' : '@ann:a'])
  }
})

test('[10.4, 10.5] notifications are not looked at before version 6', () => {
  for (const version of ROOM_VERSIONS) {
    const room = levelledRoom(version)
    const change = room.stateEvent('@bob:b', 'm.room.power_levels', '', levels(room, { notifications: { room: 100 } }))
    assert.equal(room.verdict(change).allowed, !room.rules.notificationLevelsGuarded)
  }
})

test('[10.1, 9.1, 9.3, 10.3] power levels need not list any user', () => {
  for (const version of ROOM_VERSIONS) {
    const room = aRoom({ version })
    assert.equal(room.verdict(room.stateEvent('@ann:a', 'm.room.power_levels', '', { ban: 1 })).allowed, true)
  }
})

test('[4.2, 5.2] nobody need sign for a user who is not named, or where rooms cannot be restricted', () => {
  for (const version of ROOM_VERSIONS) {
    const room = aRoom({ version })
    const signedBy = new Set(['b'])
    assert.equal(room.verdict(room.member('@bob:b', '@bob:b', 'join'), { signedBy }).allowed, true)
    const named = room.member('@bob:b', '@bob:b', 'join', { join_authorised_via_users_server: '@cat:c' })
    assert.equal(room.verdict(named, { signedBy }).allowed, !room.rules.restrictedJoins)
    const message = room.message('@ann:a', { join_authorised_via_users_server: '@cat:c' })
    assert.equal(authorisingServerOf(room.rules, message), undefined)
    assert.equal(authorisingServerOf(room.rules, named), room.rules.restrictedJoins ? 'c' : undefined)
  }
})
