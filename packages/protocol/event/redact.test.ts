import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { ROOM_VERSIONS, rulesFor } from '../room-version/rules.ts'
import type { RoomVersion } from '../room-version/rules.ts'
import { referenceHash } from './hash.ts'
import { redactContent, redactEvent } from './redact.ts'

/** Content keys that survive, with the first and the last version in which they do. */
type Kept = { readonly type: string; readonly key: string; readonly from?: number; readonly until?: number }

const KEPT: readonly Kept[] = [
  { type: 'm.room.member', key: 'membership' },
  { type: 'm.room.member', key: 'join_authorised_via_users_server', from: 9 },
  { type: 'm.room.create', key: 'creator' },
  { type: 'm.room.create', key: 'room_version', from: 11 },
  { type: 'm.room.create', key: 'm.federate', from: 11 },
  { type: 'm.room.create', key: 'anything', from: 11 },
  { type: 'm.room.join_rules', key: 'join_rule' },
  { type: 'm.room.join_rules', key: 'allow', from: 8 },
  ...['ban', 'events', 'events_default', 'kick', 'redact', 'state_default', 'users', 'users_default'].map((key) => ({
    type: 'm.room.power_levels',
    key,
  })),
  { type: 'm.room.power_levels', key: 'invite', from: 11 },
  { type: 'm.room.aliases', key: 'aliases', until: 5 },
  { type: 'm.room.history_visibility', key: 'history_visibility' },
  { type: 'm.room.redaction', key: 'redacts', from: 11 },
]

const CONTENT_KEYS = [...new Set(KEPT.map(({ key }) => key)), 'notifications', 'displayname', 'body', 'reason']
const TYPES = [
  ...new Set(KEPT.map(({ type }) => type)),
  'm.room.message',
  'm.room.name',
  'm.room.third_party_invite',
  'x',
]

function isKept(version: RoomVersion, type: string, key: string): boolean {
  const number = Number(version)
  if (type === 'm.room.create' && number >= 11) return true
  return KEPT.some(
    (kept) => kept.type === type && kept.key === key && (kept.from ?? 1) <= number && number <= (kept.until ?? 12),
  )
}

const ALWAYS = ['event_id', 'type', 'room_id', 'sender', 'state_key', 'content', 'hashes', 'signatures', 'depth']
const EDGES = ['prev_events', 'auth_events', 'origin_server_ts']
const UNTIL_10 = ['prev_state', 'origin', 'membership']
const NEVER = ['unsigned', 'redacts', 'age', 'replaces_state', 'anything', '__proto__']

for (const version of ROOM_VERSIONS) {
  const rules = rulesFor(version)!
  describe(`redaction in version ${version}`, () => {
    test('keeps the top-level keys of the list, and no other', () => {
      const names = [...ALWAYS, ...EDGES, ...UNTIL_10, ...NEVER]
      const event = JSON.parse(`{${names.map((name) => `"${name}":"x"`).join(',')}}`) as JsonObject
      const expected = [...ALWAYS, ...EDGES, ...(Number(version) <= 10 ? UNTIL_10 : [])]
      assert.deepEqual(Object.keys(redactEvent(event, rules)).toSorted(), expected.toSorted())
    })

    for (const type of TYPES) {
      test(`keeps of ${type} the keys of the list, and no other`, () => {
        const content = Object.fromEntries(CONTENT_KEYS.map((key) => [key, { of: key }]))
        const expected = Object.fromEntries(Object.entries(content).filter(([key]) => isKept(version, type, key)))
        assert.deepEqual({ ...redactContent(rules, type, content) }, expected)
      })
    }

    test('keeps the signed part of a third-party invitation from version 11 on', () => {
      const keep = (third_party_invite: JsonValue) => {
        const kept = redactContent(rules, 'm.room.member', { membership: 'invite', third_party_invite })
        return JSON.parse(JSON.stringify(kept)) as JsonObject
      }
      const isKeeping = Number(version) >= 11
      const signed = { mxid: '@bob:b', token: 'x', other: [1] }
      const rest: JsonObject = isKeeping ? { third_party_invite: { signed } } : {}
      assert.deepEqual(keep({ display_name: 'Bob', signed }), { membership: 'invite', ...rest })
      assert.deepEqual(keep({ display_name: 'Bob' }), {
        membership: 'invite',
        ...(isKeeping ? { third_party_invite: {} } : {}),
      })
      for (const odd of [null, 'x', 5, [signed]]) assert.deepEqual(keep(odd), { membership: 'invite' })
    })

    test('makes an object of content that is none', () => {
      for (const content of [null, 'x', [1]]) {
        assert.deepEqual({ ...(redactEvent({ type: 'x', content }, rules)['content'] as JsonObject) }, {})
      }
    })
  })
}

test('redacting again changes nothing, nor does it change the reference hash', () => {
  const content = fc.dictionary(fc.oneof(fc.constantFrom(...CONTENT_KEYS), fc.string()), fc.constantFrom(1, 'x', null))
  const event = fc.record({ type: fc.constantFrom(...TYPES), content, depth: fc.nat(), other: fc.string() })
  fc.assert(
    fc.property(fc.constantFrom(...ROOM_VERSIONS), event, (version, original) => {
      const rules = rulesFor(version)!
      const once = redactEvent(original, rules)
      assert.deepEqual(redactEvent(once, rules), once)
      assert.equal(referenceHash(once, rules), referenceHash(original, rules))
    }),
  )
})
