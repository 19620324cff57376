import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { aRoom } from '../event/testing/a-room.ts'
import type { TestRoom } from '../event/testing/a-room.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { ROOM_VERSIONS, rulesFor } from '../room-version/rules.ts'
import type { RoomVersion } from '../room-version/rules.ts'
import { parseLevel, sameLevel } from './level.ts'
import type { PowerLevel } from './level.ts'
import { powerLevels } from './power-levels.ts'
import type { PowerLevels } from './power-levels.ts'

const MAX = Number.MAX_SAFE_INTEGER

function levelsIn(room: TestRoom): PowerLevels {
  return powerLevels(room.rules, room.state)
}

function levelsOf(version: RoomVersion, content: JsonObject): PowerLevels {
  return levelsIn(aRoom({ version }).powerLevels(content))
}

const LOOSE_STRINGS: readonly (readonly [JsonValue, PowerLevel | undefined])[] = [
  ['100', 100],
  ['000100', 100],
  ['+100', 100],
  ['-100', -100],
  [' 100 ', 100],
  [' 00100 ', 100],
  [' +100 ', 100],
  ['\t-100\n', -100],
  ['-0', 0],
  ['9007199254740993', 9007199254740993n],
  ['-9007199254740993', -9007199254740993n],
  ['', undefined],
  [' ', undefined],
  ['+', undefined],
  ['- 1', undefined],
  ['+-1', undefined],
  ['1 0', undefined],
  ['1.0', undefined],
  ['1e2', undefined],
  ['0x10', undefined],
  ['1_000', undefined],
  ['١٠', undefined],
  ['Infinity', undefined],
  ['NaN', undefined],
  [true, undefined],
  [null, undefined],
  [[1], undefined],
  [{}, undefined],
]

describe('a level', () => {
  for (const version of ROOM_VERSIONS) {
    const rules = rulesFor(version)!
    test(`of room version ${version} is an integer`, () => {
      for (const value of [0, 1, -1, 100, MAX, -MAX]) assert.equal(parseLevel(rules, value), value)
      assert.equal(parseLevel(rules, undefined), undefined)
    })

    test(`of room version ${version} is ${rules.looseLevels ? 'a string of one integer, too' : 'no string'}`, () => {
      for (const [value, level] of LOOSE_STRINGS) {
        const expected = rules.looseLevels ? level : undefined
        assert.ok(sameLevel(parseLevel(rules, value), expected), JSON.stringify(value))
      }
    })
  }

  test('of room versions 1 to 5 loses its fraction, and later may not have one', () => {
    for (const version of ROOM_VERSIONS) {
      const rules = rulesFor(version)!
      const expected = rules.looseLevels ? [50, 51146, -50] : [undefined, undefined, undefined]
      assert.deepEqual(
        [50.57, 5.114698e4, -50.57].map((value) => parseLevel(rules, value)),
        expected,
      )
    }
  })

  test('beyond 2^53 is not rounded to its neighbour', () => {
    const rules = rulesFor('9')!
    const [a, b] = ['9007199254740992', '9007199254740993'].map((text) => parseLevel(rules, text)!)
    assert.equal(sameLevel(a, b), false)
    assert.ok(a! < b!)
  })

  test('of 60,000 digits costs no more than a moment', () => {
    assert.ok(parseLevel(rulesFor('1')!, '9'.repeat(60_000))! > MAX)
    assert.equal(parseLevel(rulesFor('1')!, `${' '.repeat(60_000)}x`), undefined)
  })
})

for (const version of ROOM_VERSIONS) {
  const { creatorsAboveAll } = rulesFor(version)!
  describe(`in room version ${version}`, () => {
    test('without power levels the creator has 100, or stands above all, and the others 0', () => {
      const levels = levelsIn(aRoom({ version }).join('@bob:b'))
      assert.equal(levels.ofUser('@ann:a'), creatorsAboveAll ? Infinity : 100)
      assert.equal(levels.ofUser('@bob:b'), 0)
    })

    test('without power levels, or with none set, the defaults are those of the specification', () => {
      for (const levels of [levelsIn(aRoom({ version })), levelsOf(version, {})]) {
        const { ban, kick, redact, invite } = levels
        assert.deepEqual({ ban, kick, redact, invite }, { ban: 50, kick: 50, redact: 50, invite: 0 })
        assert.equal(levels.forState('m.room.name'), 50)
        assert.equal(levels.forMessage('m.room.message'), 0)
        assert.equal(levels.forNotification('room'), 50)
      }
    })

    test('power levels that do not list the creator take the 100 away, but nothing from one who stands above all', () => {
      assert.equal(levelsOf(version, {}).ofUser('@ann:a'), creatorsAboveAll ? Infinity : 0)
      assert.equal(levelsOf(version, { users_default: 7 }).ofUser('@ann:a'), creatorsAboveAll ? Infinity : 7)
    })

    test('an explicit 0 is 0, not absent', () => {
      const levels = levelsOf(version, {
        users_default: 50,
        users: { '@bob:b': 0 },
        state_default: 50,
        events_default: 50,
        events: { 'm.room.name': 0, 'm.room.message': 0 },
        notifications: { room: 0 },
        ban: 0,
        kick: 0,
        redact: 0,
        invite: 0,
      })
      assert.equal(levels.ofUser('@bob:b'), 0)
      assert.equal(levels.ofUser('@cat:c'), 50)
      assert.equal(levels.forState('m.room.name'), 0)
      assert.equal(levels.forMessage('m.room.message'), 0)
      assert.equal(levels.forNotification('room'), 0)
      const { ban, kick, redact, invite } = levels
      assert.deepEqual([ban, kick, redact, invite], [0, 0, 0, 0])
    })

    test('a level counts for its own key only', () => {
      const levels = levelsOf(version, { events: { 'm.room.name': 3 }, state_default: 4, events_default: 5 })
      assert.equal(levels.forState('m.room.name'), 3)
      assert.equal(levels.forMessage('m.room.name'), 3)
      assert.equal(levels.forState('m.room.topic'), 4)
      assert.equal(levels.forMessage('m.room.topic'), 5)
    })

    test('keys that every object inherits are no levels', () => {
      const levels = levelsOf(version, {})
      for (const key of ['constructor', '__proto__', 'toString', 'hasOwnProperty']) {
        assert.equal(levels.forState(key), 50)
        assert.equal(levels.ofUser(key), 0)
      }
    })

    test('malformed levels count as absent', () => {
      const levels = levelsOf(version, {
        ban: 'x',
        users: ['@bob:b'],
        events: 'x',
        users_default: {},
        notifications: null,
      })
      assert.equal(levels.ban, 50)
      assert.equal(levels.ofUser('@bob:b'), 0)
      assert.equal(levels.forState('m.room.name'), 50)
    })
  })
}

describe('the creators of room version 12', () => {
  const room = aRoom({ version: '12', content: { additional_creators: ['@amy:a', '@abe:z'] } })
    .join('@amy:a')
    .join('@bob:b')
    .powerLevels({ users: { '@bob:b': MAX }, state_default: MAX, ban: MAX, kick: MAX })

  test('stand above every level', () => {
    const levels = levelsIn(room)
    assert.deepEqual(
      ['@ann:a', '@amy:a', '@abe:z'].map((user) => levels.ofUser(user)),
      [Infinity, Infinity, Infinity],
    )
    assert.ok(levels.ofUser('@amy:a') > levels.ofUser('@bob:b'))
    assert.equal(room.verdict(room.member('@amy:a', '@bob:b', 'ban')).allowed, true)
  })

  test('cannot be removed by anybody, not even by one another', () => {
    for (const sender of ['@bob:b', '@ann:a']) {
      assert.equal(room.verdict(room.member(sender, '@amy:a', 'leave')).allowed, false)
      assert.equal(room.verdict(room.member(sender, '@amy:a', 'ban')).allowed, false)
    }
  })

  test('may give any level', () => {
    const change = room.stateEvent('@amy:a', 'm.room.power_levels', '', { users: { '@cat:c': MAX, '@bob:b': -MAX } })
    assert.deepEqual(room.verdict(change), { allowed: true })
  })

  test('were not above all before', () => {
    const old = aRoom({ version: '11', content: { additional_creators: ['@amy:a'] } })
    assert.equal(levelsIn(old).ofUser('@amy:a'), 0)
  })
})
