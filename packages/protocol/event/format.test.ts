import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { parseJson } from '../json/parse.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { ROOM_VERSIONS, rulesFor } from '../room-version/rules.ts'
import type { RoomVersion } from '../room-version/rules.ts'
import { contentHash } from './hash.ts'
import { parsePdu } from './format.ts'
import type { ParsedPdu, PduProblem } from './format.ts'
import { aRoom, buildCreate } from './testing/a-room.ts'
import { authStateOf } from '../auth/auth-state.ts'
import { authorize } from '../auth/authorize.ts'

const HASH = 'A'.repeat(43)

/** A message of Bob's as another server would send it. */
function wireMessage(version: RoomVersion, more: JsonObject = {}): JsonObject {
  const { json } = aRoom({ version })
    .join('@bob:b')
    .build({ sender: '@bob:b', type: 'm.room.message', content: { body: 'hi' } })
  return rehashed({ ...(JSON.parse(json) as JsonObject), signatures: { b: { 'ed25519:1': 'x' } }, ...more }, version)
}

/** With the hash that its present members have, if there is one. */
function rehashed(event: JsonObject, version: RoomVersion): JsonObject {
  try {
    return { ...event, hashes: { sha256: contentHash(event, rulesFor(version)!) } }
  } catch {
    return event
  }
}

function parse(version: RoomVersion, event: JsonObject): ParsedPdu | PduProblem {
  return parsePdu(event, rulesFor(version)!)
}

function expectProblem(version: RoomVersion, event: JsonObject, problem: PduProblem['problem'], about: RegExp): void {
  const parsed = parse(version, event)
  assert.equal(parsed.ok, false, JSON.stringify(event).slice(0, 300))
  assert.equal(parsed.problem, problem, JSON.stringify(event).slice(0, 300))
  assert.match(parsed.message, about)
}

function without(event: JsonObject, key: string): JsonObject {
  return Object.fromEntries(Object.entries(event).filter(([name]) => name !== key))
}

const REQUIRED = [
  'type',
  'sender',
  'content',
  'depth',
  'origin_server_ts',
  'hashes',
  'signatures',
  'prev_events',
  'auth_events',
]

const NOT_A: Readonly<Record<'string' | 'object' | 'integer' | 'list', readonly JsonValue[]>> = {
  string: [null, 1, true, ['x'], { a: 'x' }],
  object: [null, 1, true, 'x', [{}]],
  integer: [null, true, '1', [1], {}, 1.5, 2 ** 53, -(2 ** 53), 2 ** 63, 1e300],
  list: [null, 1, true, 'x', { 0: 'x' }],
}

const FIELDS: readonly (readonly [field: string, kind: keyof typeof NOT_A])[] = [
  ['type', 'string'],
  ['sender', 'string'],
  ['state_key', 'string'],
  ['room_id', 'string'],
  ['content', 'object'],
  ['unsigned', 'object'],
  ['hashes', 'object'],
  ['signatures', 'object'],
  ['depth', 'integer'],
  ['origin_server_ts', 'integer'],
  ['prev_events', 'list'],
  ['auth_events', 'list'],
]

for (const version of ROOM_VERSIONS) {
  const rules = rulesFor(version)!
  describe(`an event of version ${version}`, () => {
    test('is read, with or without a state key, unsigned data and members of its own', () => {
      for (const more of [{}, { state_key: '' }, { unsigned: { age: 1 } }, { org: [1] }, { origin: 5 }]) {
        const parsed = parse(version, wireMessage(version, more))
        assert.ok(parsed.ok)
        assert.equal(parsed.hashMatches, true)
        assert.equal('unsigned' in JSON.parse(parsed.json), false)
      }
    })

    test('has every field that its format requires', () => {
      for (const field of [...REQUIRED, 'room_id', ...(rules.eventId === 'random' ? ['event_id'] : [])]) {
        expectProblem(version, without(wireMessage(version), field), 'malformed', new RegExp(field))
      }
    })

    test('has fields of the right types, above all a depth that every server can read', () => {
      for (const [field, kind] of FIELDS) {
        for (const value of NOT_A[kind]) {
          expectProblem(version, { ...wireMessage(version), [field]: value }, 'malformed', new RegExp(field))
        }
      }
      expectProblem(version, wireMessage(version, { depth: -1 }), 'malformed', /depth/)
      for (const hashes of [{}, { sha256: 1 }, { md5: 'x' }]) {
        expectProblem(version, { ...wireMessage(version), hashes }, 'malformed', /hashes/)
      }
      for (const signatures of [{ b: 'x' }, { b: { k: 1 } }, { b: [] }]) {
        expectProblem(version, wireMessage(version, { signatures }), 'malformed', /signatures/)
      }
    })

    test('may have the greatest depth there is', () => {
      assert.equal(parse(version, wireMessage(version, { depth: Number.MAX_SAFE_INTEGER })).ok, true)
    })

    test('has type and state key of at most 255 bytes, or characters up to version 10, and ids of at most 255 bytes', () => {
      const { lengthsInCharacters } = rulesFor(version)!
      assert.equal(lengthsInCharacters, Number(version) <= 10)
      const emoji = '😀'.repeat(lengthsInCharacters ? 256 : 64)
      for (const field of ['type', 'state_key']) {
        assert.equal(parse(version, wireMessage(version, { [field]: 'x'.repeat(255) })).ok, true)
        expectProblem(version, wireMessage(version, { [field]: 'x'.repeat(256) }), 'too-long', new RegExp(field))
        expectProblem(version, wireMessage(version, { [field]: emoji }), 'too-long', new RegExp(field))
        assert.equal(parse(version, wireMessage(version, { [field]: '😀'.repeat(255) })).ok, lengthsInCharacters)
      }
      const long = `@${'x'.repeat(252)}:b`
      assert.equal(parse(version, wireMessage(version, { sender: long })).ok, true)
      expectProblem(version, wireMessage(version, { sender: `${long}b` }), 'too-long', /sender/)
      expectProblem(version, wireMessage(version, { room_id: `!${'x'.repeat(300)}:b` }), 'too-long', /room_id/)
    })

    test('has a sender and a room that are ids', () => {
      for (const sender of ['', '@', 'bob:b', '@bob', '@bob:', '!bob:b', '@bob:b c']) {
        expectProblem(version, wireMessage(version, { sender }), 'bad-id', /sender/)
      }
      for (const room_id of ['', '!', 'room:b', '#room:b', '!room:b c', '!room']) {
        expectProblem(version, wireMessage(version, { room_id }), 'bad-id', /room_id/)
      }
      if (rules.roomIdIsCreateHash) {
        for (const room_id of ['!room:b', `!${'A'.repeat(42)}`, `!${'A'.repeat(42)}+`]) {
          expectProblem(version, wireMessage(version, { room_id }), 'bad-id', /room_id/)
        }
      }
    })

    test('has at most 20 previous events and 10 auth events, in the form of its version', () => {
      const [edge] = wireMessage(version)['prev_events'] as JsonValue[]
      const edges = (count: number) => Array.from({ length: count }, () => edge!)
      assert.equal(parse(version, wireMessage(version, { prev_events: edges(20), auth_events: edges(10) })).ok, true)
      expectProblem(version, wireMessage(version, { prev_events: edges(21) }), 'too-many-edges', /prev_events/)
      expectProblem(version, wireMessage(version, { auth_events: edges(11) }), 'too-many-edges', /auth_events/)
      for (const wrong of wrongEdges(version)) {
        expectProblem(version, wireMessage(version, { prev_events: [wrong] }), 'malformed', /prev_events/)
        expectProblem(version, wireMessage(version, { auth_events: [edge!, wrong] }), 'malformed', /auth_events/)
      }
    })

    test('is at most 65,536 bytes with its signatures', () => {
      const sized = (bytes: number): JsonObject => {
        const empty = wireMessage(version, { content: { body: '' } })
        const parsed = parse(version, empty)
        assert.ok(parsed.ok)
        // Two bytes for each é, so that bytes and characters differ.
        const missing = bytes - Buffer.byteLength(parsed.json)
        const body = 'é'.repeat(Math.floor(missing / 2)) + 'x'.repeat(missing % 2)
        return wireMessage(version, { content: { body } })
      }
      assert.equal(parse(version, sized(65_536)).ok, true)
      expectProblem(version, sized(65_537), 'too-large', /65,536/)
    })

    test('with a wrong hash is read as if it were redacted', () => {
      for (const sha256 of [HASH, '', '=', 'not base64 at all', `${HASH}=`]) {
        const event: JsonObject = {
          ...wireMessage(version, { more: 1, content: { body: 'forged', ban: 0 } }),
          hashes: { sha256 },
        }
        const parsed = parse(version, event)
        assert.ok(parsed.ok)
        assert.equal(parsed.hashMatches, false)
        assert.deepEqual({ ...parsed.pdu.content }, {})
        const kept = JSON.parse(parsed.json) as JsonObject
        assert.deepEqual(kept['content'], {})
        assert.equal('more' in kept, false)
        assert.deepEqual(kept['signatures'], event['signatures'])
      }
    })

    test('may spell its hash with padding', () => {
      const event = wireMessage(version)
      const { sha256 } = event['hashes'] as { sha256: string }
      const parsed = parse(version, { ...event, hashes: { sha256: `${sha256}=` } })
      assert.ok(parsed.ok)
      assert.equal(parsed.hashMatches, true)
    })

    test('has an id that its content does not change but the rest does', () => {
      const id = (event: JsonObject) => {
        const parsed = parse(version, event)
        assert.ok(parsed.ok)
        return parsed.pdu.eventId
      }
      const event = wireMessage(version)
      assert.equal(id(event), id({ ...event, content: { body: 'other' }, unsigned: {}, signatures: {} }))
      if (rules.eventId !== 'random') assert.notEqual(id(event), id({ ...event, origin_server_ts: 5 }))
    })
  })
}

function wrongEdges(version: RoomVersion): JsonValue[] {
  const pair = ['$x:b', { sha256: HASH }]
  const id = `$${HASH}`
  const common = [null, 1, {}, [], '', '$', HASH, `!${HASH}`, `${id}A`]
  if (rulesFor(version)!.edgesAsPairs) {
    return [...common, id, ['$x:b'], ['$x:b', HASH], [...pair, 1], [1, {}], ['x:b', {}], [{ sha256: HASH }, '$x:b']]
  }
  const otherAlphabet = version === '3' ? `$${'A'.repeat(42)}-` : `$${'A'.repeat(42)}/`
  return [...common, pair, [id], '$x:b', otherAlphabet]
}

test('the id in an event of version 1 is one with a server, and without meaning from version 3 on', () => {
  for (const event_id of ['x:b', '$x', `$${HASH}`, '$x:b c']) {
    expectProblem('1', wireMessage('1', { event_id }), 'bad-id', /event_id/)
    const parsed = parse('3', wireMessage('3', { event_id }))
    assert.ok(parsed.ok)
    assert.notEqual(parsed.pdu.eventId, event_id)
  }
})

test('redacts is a string before version 11, and no field of the event later', () => {
  for (const version of ROOM_VERSIONS) {
    const event = wireMessage(version, { type: 'm.room.redaction', redacts: 5 })
    assert.equal(parse(version, event).ok, rulesFor(version)!.redactsInContent)
  }
})

test('what a redaction redacts is read from where the version has it, and is nothing if it is no id', () => {
  for (const version of ROOM_VERSIONS) {
    const beside = parse(version, wireMessage(version, { type: 'm.room.redaction', redacts: '$a' }))
    const inside = parse(version, wireMessage(version, { type: 'm.room.redaction', content: { redacts: '$b' } }))
    const odd = parse(
      version,
      wireMessage(version, { type: 'm.room.redaction', redacts: 'a', content: { redacts: ['$b'] } }),
    )
    const message = parse(version, wireMessage(version, { redacts: '$a', content: { redacts: '$b' } }))
    assert.ok(beside.ok && inside.ok && odd.ok && message.ok)
    const { redactsInContent } = rulesFor(version)!
    assert.equal(beside.pdu.redacts, redactsInContent ? undefined : '$a')
    assert.equal(inside.pdu.redacts, redactsInContent ? '$b' : undefined)
    assert.equal(odd.pdu.redacts, undefined)
    assert.equal(message.pdu.redacts, undefined)
  }
})

describe('a create event of version 12', () => {
  const rules = rulesFor('12')!
  const create = buildCreate(rules, '@ann:a')
  const wire: JsonObject = {
    auth_events: [],
    content: create.content,
    depth: 1,
    origin_server_ts: create.originServerTs,
    prev_events: [],
    sender: create.sender,
    signatures: {},
    state_key: '',
    type: 'm.room.create',
  }

  test('gives the room its id', () => {
    const parsed = parse('12', rehashed(wire, '12'))
    assert.ok(parsed.ok)
    assert.equal(parsed.pdu.eventId, create.eventId)
    assert.equal(parsed.pdu.roomId, `!${create.eventId.slice(1)}`)
    assert.equal(authorize(rules, parsed.pdu, authStateOf([])).allowed, true)
  })

  test('[1.2 create-has-room-id] is rejected by name when it carries one, even the right one', () => {
    for (const room_id of [create.roomId, '!room:a', `!${HASH}`]) {
      const parsed = parse('12', rehashed({ ...wire, room_id }, '12'))
      assert.ok(parsed.ok)
      const verdict = authorize(rules, parsed.pdu, authStateOf([]))
      assert.equal(verdict.allowed ? 'allowed' : verdict.rule, 'create-has-room-id')
    }
  })
})

describe('numbers in an event', () => {
  test('that canonical JSON cannot say are refused from version 6 on, and belong to older rooms', () => {
    for (const version of ROOM_VERSIONS) {
      const { strictCanonicalJson } = rulesFor(version)!
      for (const number of [1.5, -0.25, 1e21, 2 ** 53, -0]) {
        const parsed = parse(version, wireMessage(version, { content: { nested: [{ number }] } }))
        assert.equal(parsed.ok, !strictCanonicalJson, `${number} in ${version}`)
        if (parsed.ok) assert.equal(parsed.hashMatches, true)
        else assert.equal(parsed.problem, 'not-canonical')
      }
    }
  })

  test('are refused when they are no numbers at all', () => {
    for (const version of ROOM_VERSIONS) {
      for (const number of [Infinity, NaN]) {
        expectProblem(version, wireMessage(version, { content: { number } }), 'not-canonical', /number/)
      }
    }
  })
})

test('half of a surrogate pair is refused in every version', () => {
  for (const version of ROOM_VERSIONS) {
    for (const content of [{ a: '\ud800' }, { '\udc00': 1 }, { a: ['\ud800', 0.5] }]) {
      expectProblem(version, wireMessage(version, { content }), 'not-canonical', /surrogate/)
    }
  }
})

test('an event of nothing but brackets is read, whatever its depth', () => {
  for (const version of ROOM_VERSIONS) {
    const text = JSON.stringify(wireMessage(version)).replace('"hi"', `${'['.repeat(30_000)}${']'.repeat(30_000)}`)
    const value = parseJson(text, { depthMax: Infinity })
    assert.ok(value.ok)
    const parsed = parse(version, value.value as JsonObject)
    assert.ok(parsed.ok)
    assert.equal(parsed.hashMatches, false)
  }
})

test('nothing that is JSON makes it throw', () => {
  const field = fc.constantFrom(
    'room_id',
    'event_id',
    'redacts',
    'state_key',
    'unsigned',
    'content',
    '__proto__',
    ...REQUIRED,
  )
  const value = fc.jsonValue({ noUnicodeString: false }) as fc.Arbitrary<JsonValue>
  const changes = fc.dictionary(field, value, { maxKeys: 4 })
  fc.assert(
    fc.property(fc.constantFrom(...ROOM_VERSIONS), changes, (version, changed) => {
      const parsed = parse(version, { ...wireMessage(version), ...(changed as JsonObject) })
      if (!parsed.ok) assert.match(parsed.message, /^[a-zA-Z].*\.$/s)
    }),
    { numRuns: 1500 },
  )
})
