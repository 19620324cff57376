import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ROOM_VERSIONS, rulesFor } from '../room-version/rules.ts'
import { effectiveValidUntil, isKeyValidForEvent, isKeyValidForRequest } from './key-validity.ts'

const DAY = 24 * 3_600_000

describe('a key of another server', () => {
  test('is valid no longer than the server says, and no longer than seven days after it was fetched', () => {
    assert.equal(effectiveValidUntil(5, 1_000), 5)
    assert.equal(effectiveValidUntil(1_000 + DAY, 1_000), 1_000 + DAY)
    assert.equal(effectiveValidUntil(1_000 + 8 * DAY, 1_000), 1_000 + 7 * DAY)
    assert.equal(effectiveValidUntil(Number.MAX_SAFE_INTEGER, 1_000), 1_000 + 7 * DAY)
  })

  test('signs requests only while it is valid, and none when it is old', () => {
    assert.equal(isKeyValidForRequest({ kind: 'current', validUntilTs: 10 }, 10), true)
    assert.equal(isKeyValidForRequest({ kind: 'current', validUntilTs: 10 }, 11), false)
    assert.equal(isKeyValidForRequest({ kind: 'old', expiredTs: 10 }, 5), false)
    assert.equal(isKeyValidForRequest({ kind: 'old', expiredTs: 1e15 }, 5), false)
  })

  for (const version of ROOM_VERSIONS) {
    const rules = rulesFor(version)!
    const enforced = Number(version) >= 5
    test(`signs events of version ${version} until ${enforced ? 'its validity ends' : 'it is given up'}`, () => {
      const until = { kind: 'current', validUntilTs: 10 } as const
      assert.equal(isKeyValidForEvent(until, { originServerTs: 10, rules }), true)
      assert.equal(isKeyValidForEvent(until, { originServerTs: 11, rules }), !enforced)
      const old = { kind: 'old', expiredTs: 10 } as const
      assert.equal(isKeyValidForEvent(old, { originServerTs: 10, rules }), true)
      assert.equal(isKeyValidForEvent(old, { originServerTs: 11, rules }), false)
    })
  }

  test('that promises to be valid for ever does not sign an event of next week after next', () => {
    const validUntilTs = effectiveValidUntil(32_503_680_000_000, 1_000)
    const future = { originServerTs: 1_000 + 8 * DAY, rules: rulesFor('12')! }
    assert.equal(isKeyValidForEvent({ kind: 'current', validUntilTs }, future), false)
  })
})
