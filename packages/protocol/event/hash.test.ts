import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonObject } from '../json/value.ts'
import { ROOM_VERSIONS, rulesFor } from '../room-version/rules.ts'
import { contentHash, eventIdFromHash, eventIdOf, referenceHash } from './hash.ts'
import { aRoom } from './testing/a-room.ts'

test('the id of an event is its own in versions 1 and 2, and its reference hash from then on', () => {
  for (const version of ROOM_VERSIONS) {
    const built = aRoom({ version }).build({ sender: '@ann:a', type: 'm.room.message', content: { body: 'hi' } })
    assert.equal(eventIdOf(JSON.parse(built.json) as JsonObject, rulesFor(version)!), built.pdu.eventId)
  }
  assert.equal(eventIdOf({ event_id: '$x:a' }, rulesFor('1')!), '$x:a')
  for (const odd of [{}, { event_id: 5 }, { event_id: 'x' }]) assert.equal(eventIdOf(odd, rulesFor('2')!), undefined)
})

test('the hash in an id is spelled in plain base64 in version 3, and fit for a URL later', () => {
  const hash = `+/${'A'.repeat(41)}`
  assert.equal(eventIdFromHash(hash, rulesFor('3')!), `$+/${'A'.repeat(41)}`)
  assert.equal(eventIdFromHash(hash, rulesFor('4')!), `$-_${'A'.repeat(41)}`)
})

test('hashes do not cover signatures and unsigned data, and the content hash not the hashes', () => {
  for (const version of ROOM_VERSIONS) {
    const rules = rulesFor(version)!
    const event: JsonObject = { type: 'x', content: { a: 1 }, hashes: { sha256: 'x' } }
    const more = { ...event, signatures: { a: { b: 'c' } }, unsigned: { age: 1 } }
    assert.equal(contentHash(event, rules), contentHash({ ...more, hashes: {} }, rules))
    assert.equal(referenceHash(event, rules), referenceHash(more, rules))
    assert.notEqual(referenceHash(event, rules), referenceHash({ ...more, hashes: {} }, rules))
    assert.equal(referenceHash(event, rules), referenceHash({ ...event, content: {} }, rules))
    assert.notEqual(contentHash(event, rules), contentHash({ ...event, content: {} }, rules))
  }
})
