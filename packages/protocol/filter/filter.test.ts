import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parseJson } from '../json/parse.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { cpuMillisecondsOf } from '../testing/cpu-time.ts'
import { applyEventFields, type EventFields, parseEventFields } from './event-fields.ts'
import {
  EMPTY_FILTER,
  EMPTY_ROOM_EVENT_FILTER,
  parseFilter,
  parseRoomEventFilter,
  type RoomEventFilter,
} from './filter.ts'
import { passesEventFilter, passesNothing, passesRoomEventFilter, passesRoomFilter } from './match.ts'

function roomEvents(value: JsonValue): RoomEventFilter {
  const parsed = parseRoomEventFilter(value)
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.problem.message)
  return parsed.filter
}

function problemOf(value: JsonValue): { path: string; message: string } {
  const parsed = parseFilter(value)
  assert.ok(!parsed.ok, `accepted: ${JSON.stringify(value)}`)
  return parsed.problem
}

const MESSAGE = { type: 'm.room.message', sender: '@ann:a', roomId: '!room:a', content: { body: 'x' } }
const passes = (filter: JsonValue, event: { content?: JsonValue } & Partial<Omit<typeof MESSAGE, 'content'>> = {}) =>
  passesRoomEventFilter(roomEvents(filter), { ...MESSAGE, ...event })

describe('filter: parsing', () => {
  it('reads every member of the specification', () => {
    const parsed = parseFilter({
      room: {
        state: {
          types: ['m.room.*'],
          not_rooms: ['!726s6s6q:example.com'],
          lazy_load_members: true,
          include_redundant_members: true,
        },
        timeline: {
          limit: 10,
          types: ['m.room.message'],
          not_senders: ['@spam:example.com'],
          unread_thread_notifications: true,
          contains_url: false,
        },
        ephemeral: {
          types: ['m.receipt', 'm.typing'],
          related_by_rel_types: ['m.thread'],
          related_by_senders: ['@a:b'],
        },
        account_data: { limit: 1 },
        include_leave: true,
        rooms: ['!a:b'],
        not_rooms: ['!c:d'],
      },
      presence: { types: ['m.presence'], not_senders: ['@alice:example.com'] },
      account_data: { not_types: ['*'] },
      event_format: 'federation',
      event_fields: ['type', 'content', 'sender'],
    })
    assert.ok(parsed.ok)
    const { room, eventFormat, eventFields, accountData } = parsed.filter
    assert.equal(room.timeline.limit, 10)
    assert.ok(room.state.lazyLoadMembers && room.state.includeRedundantMembers && room.includeLeave)
    assert.ok(room.timeline.unreadThreadNotifications && !room.timeline.lazyLoadMembers)
    assert.equal(room.timeline.containsUrl, false)
    assert.deepEqual(room.ephemeral.relatedByRelTypes, ['m.thread'])
    assert.deepEqual(room.ephemeral.relatedBySenders, ['@a:b'])
    assert.equal(eventFormat, 'federation')
    assert.equal(eventFields?.size, 3)
    assert.ok(!passesEventFilter(accountData, { type: 'm.direct' }))
  })

  it('takes an empty filter for everything', () => {
    assert.equal(EMPTY_FILTER.eventFormat, 'client')
    assert.equal(EMPTY_FILTER.eventFields, undefined)
    assert.ok(!EMPTY_FILTER.room.includeLeave)
    assert.ok(passesRoomEventFilter(EMPTY_ROOM_EVENT_FILTER, MESSAGE))
    assert.ok(passesRoomFilter(EMPTY_FILTER.room, '!a:b') && !passesNothing(EMPTY_FILTER.presence))
  })

  it('ignores members it does not know', () => {
    assert.ok(parseFilter({ boom: {}, room: { timeline: { not_bars: ['*'] } } }).ok)
  })

  it('says where a wrong type is, and what belongs there', () => {
    const wrong: readonly (readonly [JsonValue, string])[] = [
      [[], ''],
      ['x', ''],
      [null, ''],
      [{ account_data: 'Hello World' }, 'account_data'],
      [{ presence: [] }, 'presence'],
      [{ room: null }, 'room'],
      [{ room: { timeline: 1 } }, 'room.timeline'],
      [{ event_format: 'other' }, 'event_format'],
      [{ event_format: 1 }, 'event_format'],
      [{ event_fields: 'type' }, 'event_fields'],
      [{ event_fields: [1] }, 'event_fields'],
      [{ room: { include_leave: 'true' } }, 'room.include_leave'],
      [{ room: { not_rooms: ['#foo:pik-test'] } }, 'room.not_rooms'],
      [{ room: { rooms: {} } }, 'room.rooms'],
      [{ presence: { senders: ['@bar;pik.test.com'] } }, 'presence.senders'],
      [{ presence: { senders: [null] } }, 'presence.senders'],
      [{ room: { state: { types: 'm.*' } } }, 'room.state.types'],
      [{ room: { state: { not_types: [['m.*']] } } }, 'room.state.not_types'],
      [{ room: { state: { lazy_load_members: 1 } } }, 'room.state.lazy_load_members'],
      [{ room: { timeline: { contains_url: null } } }, 'room.timeline.contains_url'],
      [{ room: { timeline: { related_by_senders: ['x'] } } }, 'room.timeline.related_by_senders'],
      ...[-1, 1.5, '10', null, true, 2 ** 53].map(
        (limit) => [{ room: { timeline: { limit } } }, 'room.timeline.limit'] as const,
      ),
      [{ room: { timeline: { types: Array.from({ length: 10_001 }, () => 'x') } } }, 'room.timeline.types'],
    ]
    for (const [filter, path] of wrong) {
      const problem = problemOf(filter)
      assert.equal(problem.path, path)
      assert.match(problem.message, /^(The filter|[a-z_.]+) must be .+\.$/)
    }
    assert.equal(problemOf({ event_format: 'x' }).message, 'event_format must be client or federation.')
  })

  it('does not take inherited members for its own', () => {
    const parsed = parseJson('{"__proto__":{"room":1},"constructor":2}')
    assert.ok(parsed.ok && parseFilter(parsed.value).ok)
  })
})

describe('filter: events', () => {
  it('types include, with * as any sequence of characters', () => {
    assert.ok(passes({ types: ['m.room.message'] }) && passes({ types: ['m.room.*'] }) && passes({ types: ['*'] }))
    assert.ok(passes({ types: ['x', 'm.*.message'] }) && passes({ types: ['*message*'] }))
    assert.ok(
      !passes({ types: ['m.room'] }) &&
        !passes({ types: ['m.room.messag?'] }) &&
        !passes({ types: ['M.room.message'] }),
    )
    assert.ok(!passes({ types: [] }))
  })

  it('not_types exclude, even what types include', () => {
    assert.ok(!passes({ not_types: ['m.room.message'] }) && !passes({ not_types: ['m.*'] }))
    assert.ok(!passes({ types: ['m.room.message'], not_types: ['m.room.*'] }))
    assert.ok(passes({ not_types: [] }) && passes({ types: ['m.*'], not_types: ['m.room.member'] }))
  })

  it('senders and rooms go by whole names', () => {
    assert.ok(passes({ senders: ['@ann:a'] }) && !passes({ senders: ['@ben:a'] }) && !passes({ senders: [] }))
    assert.ok(!passes({ senders: ['@ann:a'], not_senders: ['@ann:a'] }) && passes({ not_senders: ['@ben:a'] }))
    assert.ok(passes({ rooms: ['!room:a'] }) && !passes({ rooms: ['!other:a'] }) && !passes({ rooms: [] }))
    assert.ok(!passes({ rooms: ['!room:a'], not_rooms: ['!room:a'] }))
  })

  it('an event without sender passes no list of senders, but every list of others', () => {
    const filter = (value: JsonObject) => passesEventFilter(roomEvents(value), { type: 'm.typing' })
    assert.ok(!filter({ senders: ['@ann:a'] }) && filter({ not_senders: ['@ann:a'] }) && filter({}))
  })

  it('contains_url looks for the key in the content', () => {
    const withUrl = { content: { url: 'mxc://a/b' } }
    assert.ok(passes({ contains_url: true }, withUrl) && !passes({ contains_url: true }))
    assert.ok(!passes({ contains_url: false }, withUrl) && passes({ contains_url: false }))
    assert.ok(passes({}, withUrl) && passes({ contains_url: false }, { content: [] }))
  })

  it('knows that nothing can pass', () => {
    for (const filter of [{ types: [] }, { senders: [] }, { rooms: [] }, { limit: 0 }])
      assert.ok(passesNothing(roomEvents(filter)))
    for (const filter of [{}, { not_types: [] }, { limit: 1 }, { types: ['x'] }])
      assert.ok(!passesNothing(roomEvents(filter)))
  })

  it('room lists exclude before they include', () => {
    const parsed = parseFilter({ room: { rooms: ['!a:b', '!c:d'], not_rooms: ['!c:d'] } })
    assert.ok(parsed.ok)
    assert.deepEqual(
      ['!a:b', '!c:d', '!e:f'].map((room) => passesRoomFilter(parsed.filter.room, room)),
      [true, false, false],
    )
  })

  it('is fast with hostile types', () => {
    const filter = roomEvents({ types: Array.from({ length: 500 }, () => `${'*a'.repeat(60)}b`) })
    const event = { ...MESSAGE, type: 'a'.repeat(255) }
    const spentMs = cpuMillisecondsOf(() => assert.ok(!passesRoomEventFilter(filter, event)))
    assert.ok(spentMs < 100, `${spentMs} ms`)
  })
})

describe('filter: event fields', () => {
  const event: JsonObject = {
    type: 'm.room.message',
    sender: '@ann:a',
    content: {
      body: 'x',
      'm.relates_to': { rel_type: 'm.thread', event_id: '$a' },
      'a\\b': 1,
      list: [{ a: 1 }],
      none: null,
    },
    unsigned: { age: 1 },
  }
  const only = (...paths: string[]) => ({ ...applyEventFields(event, parseEventFields(paths) as EventFields) })
  const json = (...paths: string[]) => JSON.stringify(only(...paths))

  it('keep what is asked for', () => {
    assert.equal(json('type', 'content.body'), '{"type":"m.room.message","content":{"body":"x"}}')
    assert.equal(json('content.m\\.relates_to.rel_type'), '{"content":{"m.relates_to":{"rel_type":"m.thread"}}}')
    assert.equal(json('content.a\\\\b', 'content.none'), '{"content":{"a\\\\b":1,"none":null}}')
  })

  it('keep the whole where a part of it is asked for too', () => {
    for (const paths of [
      ['unsigned', 'unsigned.age'],
      ['unsigned.age', 'unsigned'],
    ])
      assert.equal(json(...paths), '{"unsigned":{"age":1}}')
  })

  it('keep nothing where a path leads nowhere', () => {
    assert.equal(json('content.x', 'type.x', 'content.list.0', 'constructor', 'content.toString', '', '.'), '{}')
  })

  it('are all when there is no list or an empty one', () => {
    assert.equal(parseEventFields(undefined), undefined)
    assert.equal(parseEventFields([]), undefined)
  })

  it('do not follow a path of endless depth', () => {
    const path = Array.from({ length: 20_000 }, () => 'a').join('.')
    const parsed = parseJson(`${'{"a":'.repeat(20_000)}1${'}'.repeat(20_000)}`, { depthMax: Infinity })
    assert.ok(parsed.ok)
    assert.ok('a' in applyEventFields(parsed.value as JsonObject, parseEventFields([path]) as EventFields))
  })

  it('know no special name', () => {
    const parsed = parseJson('{"__proto__":{"a":1},"b":2}')
    assert.ok(parsed.ok)
    const fields = parseEventFields(['__proto__.a']) as EventFields
    assert.equal(JSON.stringify(applyEventFields(parsed.value as JsonObject, fields)), '{"__proto__":{"a":1}}')
  })
})
