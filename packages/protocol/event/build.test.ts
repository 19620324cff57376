import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import type { EventId, RoomId, ServerName, UserId } from '../ids/brand.ts'
import { canonicalJson } from '../json/canonical.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { ROOM_VERSIONS, rulesFor } from '../room-version/rules.ts'
import type { RoomVersion } from '../room-version/rules.ts'
import { buildEvent } from './build.ts'
import type { BuildEventInput } from './build.ts'
import { parsePdu } from './format.ts'
import { contentHash, eventIdOf, referenceHash, signableText } from './hash.ts'
import { aRoom, buildCreate } from './testing/a-room.ts'

const HASH = 'n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg'

function edgeFor(version: RoomVersion, index: number): { eventId: EventId; referenceHash: string } {
  const rules = rulesFor(version)!
  const hash = `${HASH.slice(0, -1)}${index}`
  const ids = {
    random: `$event${index}:a`,
    hash: `$${hash}`,
    'url-safe-hash': `$${hash.replaceAll('+', '-').replaceAll('/', '_')}`,
  }
  return { eventId: ids[rules.eventId] as EventId, referenceHash: hash }
}

const text = fc.string({ unit: 'binary', maxLength: 20 })
const integer = fc.maxSafeInteger()
const value = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 3 },
    text,
    integer,
    fc.boolean(),
    fc.constant(null),
    fc.array(tie('value'), { maxLength: 3 }),
    fc.dictionary(text, tie('value'), { maxKeys: 4, noNullPrototype: false }),
  ),
})).value

const keptKeys = [
  'membership',
  'users',
  'ban',
  'invite',
  'creator',
  'redacts',
  'third_party_invite',
  'signed',
  'join_rule',
  'allow',
]
const content = fc.dictionary(fc.oneof(text, fc.constantFrom(...keptKeys)), value, { maxKeys: 6 })
const type = fc.oneof(
  text,
  fc.constantFrom(
    'm.room.member',
    'm.room.create',
    'm.room.power_levels',
    'm.room.redaction',
    'm.room.join_rules',
    'm.room.aliases',
  ),
)

const input = fc
  .record({
    version: fc.constantFrom<RoomVersion>(...ROOM_VERSIONS),
    type,
    stateKey: fc.option(text, { nil: undefined }),
    content,
    originServerTs: integer,
    depth: fc.nat(),
    prev: fc.nat({ max: 5 }),
    auth: fc.nat({ max: 5 }),
    redacts: fc.boolean(),
  })
  .map(({ version, prev, auth, redacts, depth, ...draft }): BuildEventInput => {
    const edges = (count: number) => Array.from({ length: count }, (_, index) => edgeFor(version, index))
    return {
      rules: rulesFor(version)!,
      roomId: (version === '12' ? `!${'A'.repeat(43)}` : '!room:a') as RoomId,
      draft: {
        ...draft,
        sender: '@bob:b.example' as UserId,
        redacts: redacts ? edgeFor(version, 9).eventId : undefined,
      },
      prevEvents: edges(prev),
      authEvents: edges(auth),
      depth,
      serverName: 'b.example' as ServerName,
      eventIdLocalpart: 'abc',
    }
  })

test('what is built in pieces is what the general functions give: text, hashes, id, parsed form', () => {
  fc.assert(
    fc.property(input, (built) => {
      const { rules } = built
      const { json, pdu, signable, referenceHash: hash } = buildEvent(built)
      const event = JSON.parse(json) as JsonObject
      assert.equal(json, canonicalJson(event))
      assert.deepEqual(event['hashes'], { sha256: contentHash(event, rules) })
      assert.equal(hash, referenceHash(event, rules))
      assert.equal(signable, signableText(event, rules))
      assert.equal(pdu.eventId, eventIdOf(event, rules))
      const parsed = parsePdu({ ...event, signatures: {} }, rules)
      if (!parsed.ok) {
        assert.equal(parsed.problem, 'too-long', parsed.message)
        return
      }
      assert.equal(parsed.hashMatches, true)
      // The content is compared as text: parsed objects have no prototype.
      const { content: expected, ...rest } = parsed.pdu
      const { content: actual, ...others } = pdu
      assert.deepEqual(others, rest)
      assert.equal(canonicalJson(actual), canonicalJson(expected))
    }),
    { numRuns: 2000 },
  )
})

describe('a built event', () => {
  test('is refused with numbers and strings that canonical JSON cannot say', () => {
    const room = aRoom({ version: '12' })
    for (const odd of [{ a: 1.5 }, { a: 2 ** 53 }, { a: '\ud800' }, { '\ud800': 1 }]) {
      assert.throws(() => room.message('@ann:a', odd), TypeError)
    }
    assert.throws(() => room.event({ sender: '@ann:a', type: '\ud800' }), TypeError)
    assert.throws(() => room.event({ sender: '@ann:a', type: 'x', stateKey: '\udc00' }), TypeError)
    assert.throws(() => room.event({ sender: '@ann:a', type: 'x', originServerTs: 1.5 }), TypeError)
  })

  test('has a depth of at most 2^53 - 1', () => {
    const room = aRoom({ version: '5' })
    assert.equal(room.event({ sender: '@ann:a', type: 'x', depth: 2 ** 53 }).depth, Number.MAX_SAFE_INTEGER)
  })

  test('names what it redacts beside the content before version 11, and in it later', () => {
    for (const version of ROOM_VERSIONS) {
      const room = aRoom({ version })
      const redacts = edgeFor(version, 1).eventId
      const built = room.build({ sender: '@ann:a', type: 'm.room.redaction', content: { reason: 'spam' }, redacts })
      const event = JSON.parse(built.json) as JsonObject
      assert.equal(built.pdu.redacts, redacts)
      assert.deepEqual(event['content'], room.rules.redactsInContent ? { reason: 'spam', redacts } : { reason: 'spam' })
      assert.equal(event['redacts'], room.rules.redactsInContent ? undefined : redacts)
    }
  })

  test('has a room id made of the create event in version 12, which itself has none', () => {
    for (const version of ROOM_VERSIONS) {
      const rules = rulesFor(version)!
      const create = buildCreate(rules, '@ann:a')
      assert.equal(create.roomId, rules.roomIdIsCreateHash ? `!${create.eventId.slice(1)}` : '!room:a')
    }
    assert.doesNotMatch(JSON.stringify(Object.keys(JSON.parse(createText()))), /room_id/)
  })

  test('needs a room id in other versions, and a local part for its id in the first two', () => {
    const create = { ...createInput(), rules: rulesFor('11')! }
    assert.throws(() => buildEvent(create), TypeError)
    const first = { ...createInput(), rules: rulesFor('2')!, roomId: '!room:a' as RoomId }
    assert.throws(() => buildEvent(first), TypeError)
    assert.equal(buildEvent({ ...first, eventIdLocalpart: 'x' }).pdu.eventId, '$x:a')
  })

  test('carries its id, its origin and the hashes of its edges in versions 1 and 2 only', () => {
    for (const version of ROOM_VERSIONS) {
      const room = aRoom({ version })
      const event = JSON.parse(room.build({ sender: '@ann:a', type: 'x' }).json) as JsonObject
      const isOld = room.rules.edgesAsPairs
      assert.equal(event['event_id'], isOld ? '$event3:a' : undefined)
      assert.equal(event['origin'], isOld ? 'a' : undefined)
      const [edge] = event['prev_events'] as JsonValue[]
      assert.deepEqual(edge, isOld ? [room.events.at(-1)!.eventId, { sha256: HASH }] : room.events.at(-1)!.eventId)
    }
  })
})

function createInput(): BuildEventInput {
  return {
    rules: rulesFor('12')!,
    roomId: undefined,
    draft: {
      type: 'm.room.create',
      stateKey: '',
      sender: '@ann:a' as UserId,
      content: { room_version: '12' },
      originServerTs: 1,
    },
    prevEvents: [],
    authEvents: [],
    depth: 1,
    serverName: 'a' as ServerName,
  }
}

function createText(): string {
  return buildEvent(createInput()).json
}

test('an edge whose hash is not known is a pair with an empty object, and is read back', () => {
  const rules = rulesFor('1')!
  const create = buildCreate(rules, '@ann:a')
  const input: BuildEventInput = {
    rules,
    roomId: create.roomId,
    draft: { type: 'm.room.message', sender: create.sender, content: {}, originServerTs: 1 },
    prevEvents: [{ eventId: '$known:a' as EventId, referenceHash: HASH }],
    authEvents: [{ eventId: '$unknown:a' as EventId, referenceHash: '' }],
    depth: 2,
    serverName: 'a' as ServerName,
    eventIdLocalpart: 'x',
  }
  const event = JSON.parse(buildEvent(input).json) as JsonObject
  assert.deepEqual(event['auth_events'], [['$unknown:a', {}]])
  const parsed = parsePdu({ ...event, signatures: {} }, rules)
  assert.ok(parsed.ok, JSON.stringify(parsed))
  assert.deepEqual(parsed.pdu.authEvents, ['$unknown:a'])
})
