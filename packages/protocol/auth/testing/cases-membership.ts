/** Cases for the rules on m.room.member other than third-party invitations. */
import { aRoom } from '../../event/testing/a-room.ts'
import type { TestRoom } from '../../event/testing/a-room.ts'
import type { RoomVersion } from '../../room-version/rules.ts'
import type { AuthRule } from '../auth-rules.ts'
import { inOneRoom, inTwoRooms, levelledRoom } from './rule-case.ts'
import type { RuleCase } from './rule-case.ts'

type Verdicts = RuleCase['verdicts']

function ruleCase(rule: AuthRule, broken: string, verdicts: Verdicts): RuleCase {
  return { rule, broken, verdicts }
}

const MALFORMED: readonly RuleCase[] = [
  ruleCase('member-malformed', 'there is no state key', (version) => {
    const room = aRoom({ version })
    const valid = room.member('@bob:b', '@bob:b', 'join')
    return inOneRoom(room, valid, { ...valid, stateKey: undefined })
  }),
  ruleCase('member-malformed', 'there is no membership', (version) => {
    const room = aRoom({ version })
    const valid = room.member('@bob:b', '@bob:b', 'join')
    return inOneRoom(room, valid, { ...valid, content: { displayname: 'Bob' } })
  }),
  ...['', 'Join', 'knocked', null, 1, ['join'], { join: 1 }].map((membership) =>
    ruleCase('membership-unknown', `it is ${JSON.stringify(membership)}`, (version) => {
      const room = aRoom({ version })
      return inOneRoom(room, room.member('@bob:b', '@bob:b', 'join'), room.member('@bob:b', '@bob:b', membership))
    }),
  ),
]

const JOIN: readonly RuleCase[] = [
  ruleCase('join-for-other-user', 'the sender is somebody else', (version) => {
    const room = aRoom({ version })
    return inOneRoom(room, room.member('@bob:b', '@bob:b', 'join'), room.member('@ann:a', '@bob:b', 'join'))
  }),
  ruleCase('join-for-other-user', 'the creator is made to rejoin on a later event', (version) => {
    const room = aRoom({ version })
    return inOneRoom(room, room.member('@ann:a', '@ann:a', 'join'), room.member('@bob:b', '@ann:a', 'join'))
  }),
  ruleCase('join-banned', 'the sender is banned', (version) => {
    const room = aRoom({ version })
    return inTwoRooms({ valid: room, broken: room.put('@bob:b', 'ban') }, joinOfBob)
  }),
  ruleCase('join-not-allowed', 'an invitation is needed', (version) => {
    const room = aRoom({ version }).joinRule('invite')
    return inTwoRooms({ valid: room.put('@bob:b', 'invite'), broken: room }, joinOfBob)
  }),
  ruleCase('join-not-allowed', 'an invitation is needed where there are no join rules', (version) => {
    const room = aRoom({ version })
    const ruleless = room.with({ ...room.state.get('m.room.join_rules', '')!, content: {} })
    return inTwoRooms({ valid: room, broken: ruleless }, joinOfBob)
  }),
  ruleCase('join-not-allowed', 'the rule is private', (version) => {
    const room = aRoom({ version })
    return inTwoRooms({ valid: room, broken: room.joinRule('private').put('@bob:b', 'invite') }, joinOfBob)
  }),
  ruleCase('join-not-allowed', 'the rule is not a string', (version) => {
    const room = aRoom({ version })
    const odd = room.with(room.stateEvent('@ann:a', 'm.room.join_rules', '', { join_rule: ['public'] }))
    return inTwoRooms({ valid: room, broken: odd }, joinOfBob)
  }),
  ruleCase('join-not-allowed', 'a knock was not answered, or there is no such rule', (version) => {
    const room = aRoom({ version }).joinRule('knock').put('@bob:b', 'knock')
    const valid = room.rules.knocking ? room.put('@bob:b', 'invite') : room.joinRule('public')
    return inTwoRooms({ valid, broken: room }, joinOfBob)
  }),
  ruleCase('join-not-allowed', 'there is no such rule as restricted, or knock_restricted, yet', (version) => {
    const room = aRoom({ version }).put('@bob:b', 'invite')
    const { restrictedJoins, knockRestricted } = room.rules
    // Where both exist the case falls back to a rule that exists nowhere.
    const unknown = !restrictedJoins ? 'restricted' : !knockRestricted ? 'knock_restricted' : 'org.example.unknown'
    return inTwoRooms({ valid: room, broken: room.joinRule(unknown) }, joinOfBob)
  }),
]

function joinOfBob(room: TestRoom): ReturnType<TestRoom['member']> {
  return room.member('@bob:b', '@bob:b', 'join')
}

/** A room that Cat of server c can let people into, and Dan of d cannot. */
function restrictedRoom(version: RoomVersion, joinRule = 'restricted'): TestRoom {
  return levelledRoom(version, { invite: 20 }).join('@dan:d').joinRule(joinRule, { allow: [] })
}

const vouchedBy = (user: string) => ({ join_authorised_via_users_server: user })

function vouchedCase(broken: string, content: { readonly [key: string]: string | number }): RuleCase {
  return ruleCase('join-not-vouched-for', broken, (version) => {
    const room = restrictedRoom(version).put('@eve:e', 'leave')
    const join = (more: typeof content) => room.member('@fay:f', '@fay:f', 'join', more)
    return inOneRoom(room, join(vouchedBy('@cat:c')), join(content))
  })
}

const RESTRICTED: readonly RuleCase[] = [
  vouchedCase('nobody vouches', {}),
  vouchedCase('who vouches may not invite', vouchedBy('@dan:d')),
  vouchedCase('who vouches has left', vouchedBy('@eve:e')),
  vouchedCase('who vouches was never there', vouchedBy('@gus:g')),
  ruleCase('join-not-vouched-for', 'the same where one may knock, from version 10 on', (version) => {
    const { knockRestricted } = aRoom({ version }).rules
    const room = restrictedRoom(version, knockRestricted ? 'knock_restricted' : 'restricted')
    return inOneRoom(
      room,
      room.member('@fay:f', '@fay:f', 'join', vouchedBy('@cat:c')),
      room.member('@fay:f', '@fay:f', 'join', vouchedBy('@dan:d')),
    )
  }),
  ruleCase('member-authorising-signature', 'its server did not sign', (version) => {
    const room = restrictedRoom(version)
    const join = room.member('@fay:f', '@fay:f', 'join', vouchedBy('@cat:c'))
    return {
      valid: room.verdict(join, { signedBy: new Set(['f', 'c']) }),
      broken: room.verdict(join, { signedBy: new Set(['f']) }),
    }
  }),
  ruleCase('member-authorising-signature', 'a server of another name signed', (version) => {
    const room = restrictedRoom(version)
    const join = room.member('@fay:f', '@fay:f', 'join', vouchedBy('@cat:c'))
    return {
      valid: room.verdict(join, { signedBy: new Set(['f', 'c']) }),
      broken: room.verdict(join, { signedBy: new Set(['f', 'c:8448', 'd']) }),
    }
  }),
  ruleCase('member-authorising-signature', 'it is no join, and nobody signed', (version) => {
    const room = restrictedRoom(version)
    const leave = room.member('@dan:d', '@dan:d', 'leave', vouchedBy('@cat:c'))
    return {
      valid: room.verdict(leave, { signedBy: new Set(['d', 'c']) }),
      broken: room.verdict(leave, { signedBy: new Set(['d']) }),
    }
  }),
  ...['cat', 5, null].map((user) =>
    ruleCase('member-authorising-signature', `the user is ${JSON.stringify(user)}`, (version) => {
      const room = restrictedRoom(version).put('@fay:f', 'invite')
      const join = (more: object) => room.member('@fay:f', '@fay:f', 'join', more as { [key: string]: null })
      return inOneRoom(room, join({}), join({ join_authorised_via_users_server: user }))
    }),
  ),
]

const INVITE: readonly RuleCase[] = [
  ruleCase('invite-sender-not-joined', 'the sender has left', (version) => {
    const room = aRoom({ version }).join('@bob:b')
    return inTwoRooms({ valid: room, broken: room.put('@bob:b', 'leave') }, inviteOfDan)
  }),
  ruleCase('invite-target-joined-or-banned', 'the user is in the room', (version) => {
    const room = aRoom({ version }).join('@bob:b')
    return inTwoRooms({ valid: room, broken: room.join('@dan:d') }, inviteOfDan)
  }),
  ruleCase('invite-target-joined-or-banned', 'the user is banned', (version) => {
    const room = aRoom({ version }).join('@bob:b')
    return inTwoRooms({ valid: room, broken: room.put('@dan:d', 'ban') }, inviteOfDan)
  }),
  ruleCase('invite-power-too-low', 'inviting needs more', (version) =>
    inTwoRooms(
      { valid: levelledRoom(version, { invite: 50 }), broken: levelledRoom(version, { invite: 51 }) },
      inviteOfDan,
    ),
  ),
]

function inviteOfDan(room: TestRoom): ReturnType<TestRoom['member']> {
  return room.member('@bob:b', '@dan:d', 'invite')
}

const LEAVE: readonly RuleCase[] = [
  ruleCase('leave-not-in-room', 'the sender was never there', (version) => {
    const room = aRoom({ version })
    return inTwoRooms({ valid: room.join('@bob:b'), broken: room }, leaveOf('@bob:b'))
  }),
  ruleCase('leave-not-in-room', 'the sender is banned', (version) => {
    const room = aRoom({ version }).join('@bob:b')
    return inTwoRooms({ valid: room, broken: room.put('@bob:b', 'ban') }, leaveOf('@bob:b'))
  }),
  ruleCase('leave-not-in-room', 'the sender has knocked where there is no knocking, or left', (version) => {
    const room = aRoom({ version })
    const membership = room.rules.knocking ? 'leave' : 'knock'
    return inTwoRooms(
      { valid: room.put('@bob:b', 'invite'), broken: room.put('@bob:b', membership) },
      leaveOf('@bob:b'),
    )
  }),
  ruleCase('kick-sender-not-joined', 'the sender is only invited', (version) => {
    const room = levelledRoom(version)
    return inTwoRooms({ valid: room, broken: room.put('@bob:b', 'invite') }, kickOfCat)
  }),
  ruleCase('unban-power-too-low', 'lifting a ban needs more than kicking', (version) => {
    const banned = (ban: number) => levelledRoom(version, { ban, kick: 20 }).put('@dan:d', 'ban')
    return inTwoRooms({ valid: banned(50), broken: banned(51) }, (room) => room.member('@bob:b', '@dan:d', 'leave'))
  }),
  ruleCase('kick-power-too-low', 'kicking needs more', (version) =>
    inTwoRooms({ valid: levelledRoom(version, { kick: 50 }), broken: levelledRoom(version, { kick: 51 }) }, kickOfCat),
  ),
  ruleCase('kick-power-too-low', 'the other has the same level', (version) => {
    const room = levelledRoom(version)
    const equal = levelledRoom(version, { users: { '@cat:c': 50 } })
    return inTwoRooms({ valid: room, broken: equal }, kickOfCat)
  }),
  ruleCase('kick-power-too-low', 'the other made the room', (version) => {
    const room = levelledRoom(version)
    return inOneRoom(room, room.member('@adm:a', '@bob:b', 'leave'), room.member('@adm:a', '@ann:a', 'leave'))
  }),
]

function leaveOf(user: string): (room: TestRoom) => ReturnType<TestRoom['member']> {
  return (room) => room.member(user, user, 'leave')
}

function kickOfCat(room: TestRoom): ReturnType<TestRoom['member']> {
  return room.member('@bob:b', '@cat:c', 'leave')
}

const BAN: readonly RuleCase[] = [
  ruleCase('ban-sender-not-joined', 'the sender has left', (version) => {
    const room = levelledRoom(version)
    return inTwoRooms({ valid: room, broken: room.put('@bob:b', 'leave') }, banOfCat)
  }),
  ruleCase('ban-power-too-low', 'banning needs more', (version) =>
    inTwoRooms({ valid: levelledRoom(version, { ban: 50 }), broken: levelledRoom(version, { ban: 51 }) }, banOfCat),
  ),
  ruleCase('ban-power-too-low', 'the other has the same level', (version) => {
    const equal = levelledRoom(version, { users: { '@cat:c': 50 } })
    return inTwoRooms({ valid: levelledRoom(version), broken: equal }, banOfCat)
  }),
]

function banOfCat(room: TestRoom): ReturnType<TestRoom['member']> {
  return room.member('@bob:b', '@cat:c', 'ban')
}

const KNOCK: readonly RuleCase[] = [
  ...['invite', 'public', 'restricted', 'private'].map((rule) =>
    ruleCase('knock-not-allowed', `the rule is ${rule}`, (version) => {
      const room = aRoom({ version })
      return inTwoRooms({ valid: room.joinRule('knock'), broken: room.joinRule(rule) }, knockOfBob)
    }),
  ),
  ruleCase('knock-not-allowed', 'there is no such rule as knock_restricted before version 10', (version) => {
    const room = aRoom({ version })
    const rule = room.rules.knockRestricted ? 'knock_restricted_' : 'knock_restricted'
    return inTwoRooms({ valid: room.joinRule('knock'), broken: room.joinRule(rule) }, knockOfBob)
  }),
  ruleCase('knock-for-other-user', 'the sender is somebody else', (version) => {
    const room = aRoom({ version }).joinRule('knock')
    return inOneRoom(room, room.member('@bob:b', '@bob:b', 'knock'), room.member('@ann:a', '@bob:b', 'knock'))
  }),
  ...['ban', 'invite', 'join'].map((membership) =>
    ruleCase('knock-needless-or-banned', `the membership is ${membership}`, (version) => {
      const room = aRoom({ version }).joinRule('knock').put('@bob:b', 'leave')
      return inTwoRooms({ valid: room, broken: room.put('@bob:b', membership) }, knockOfBob)
    }),
  ),
  ruleCase('membership-unknown', 'it is a knock where there is no knocking, or nonsense', (version) => {
    const room = aRoom({ version }).joinRule('knock').put('@bob:b', 'invite')
    const membership = room.rules.knocking ? 'knocking' : 'knock'
    return inOneRoom(room, room.member('@bob:b', '@bob:b', 'leave'), room.member('@bob:b', '@bob:b', membership))
  }),
]

function knockOfBob(room: TestRoom): ReturnType<TestRoom['member']> {
  return room.member('@bob:b', '@bob:b', 'knock')
}

export const MEMBERSHIP_CASES: readonly RuleCase[] = [
  ...MALFORMED,
  ...JOIN,
  ...RESTRICTED,
  ...INVITE,
  ...LEAVE,
  ...BAN,
  ...KNOCK,
]
