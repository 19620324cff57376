import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { packStateDelta, unpackStateDelta } from './delta.ts'
import { STATE_KEY_MAX, STATE_VALUE_MAX } from './state-map.ts'
import { pushVarint, unzigzag, varintReader, zigzag } from './varint.ts'

const ENTRIES = fc
  .uniqueArray(
    fc.record(
      {
        key: fc.oneof(fc.nat(50), fc.nat(STATE_KEY_MAX), fc.constantFrom(0, STATE_KEY_MAX)),
        after: fc.option(fc.oneof(fc.nat(10), fc.nat(), fc.constantFrom(0, STATE_VALUE_MAX)), { nil: undefined }),
      },
      { noNullPrototype: true },
    ),
    { selector: ({ key }) => key },
  )
  .map((entries) => entries.sort((left, right) => left.key - right.key))

describe('state delta', () => {
  it('comes back from its bytes', () => {
    fc.assert(
      fc.property(ENTRIES, (entries) => assert.deepEqual(unpackStateDelta(packStateDelta(entries)), entries)),
      { numRuns: 1000 },
    )
  })

  it('is a few bytes for neighbours', () => {
    assert.equal(packStateDelta([]).length, 1)
    assert.ok(packStateDelta([{ key: 1000, after: 50_000 }]).length <= 6)
    const members = Array.from({ length: 1000 }, (_, index) => ({ key: 5000 + index, after: 90_000 + index }))
    assert.ok(packStateDelta(members).length < 2_020)
  })

  it('is refused when its keys do not rise', () => {
    const pairs = [[2, 1], [1, 1], [-1, 3], [1, STATE_KEY_MAX + 1]] as const // prettier-ignore
    for (const [first, second] of pairs) {
      assert.throws(() => packStateDelta([{ key: first, after: 1 }, { key: second, after: 1 }]), RangeError) // prettier-ignore
    }
  })

  it('is refused when bytes are missing, left over or impossible, and never read wrongly', () => {
    const bytes = packStateDelta([{ key: 3, after: 7 }, { key: 9, after: undefined }, { key: 4000, after: 2 ** 40 }]) // prettier-ignore
    for (let length = 0; length < bytes.length; length += 1) {
      assert.throws(() => unpackStateDelta(bytes.subarray(0, length)), RangeError, String(length))
    }
    assert.throws(() => unpackStateDelta(Uint8Array.from([...bytes, 0])), RangeError)
    assert.throws(() => unpackStateDelta(Uint8Array.from([1, 0, 0])), RangeError)
    assert.throws(() => unpackStateDelta(Uint8Array.from([2, 2, 0, 1])), RangeError)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 30 }), (noise) => {
        try {
          for (const { key, after } of unpackStateDelta(noise)) {
            assert.ok(Number.isSafeInteger(key) && key >= 0 && key <= STATE_KEY_MAX)
            assert.ok(after === undefined || (Number.isSafeInteger(after) && after >= 0))
          }
        } catch (error) {
          assert.ok(error instanceof RangeError)
        }
      }),
      { numRuns: 2000 },
    )
  })
})

describe('varint', () => {
  it('comes back up to the largest safe integer, zigzag for both signs', () => {
    fc.assert(
      fc.property(fc.array(fc.oneof(fc.maxSafeNat(), fc.nat(300))), (values) => {
        const bytes: number[] = []
        for (const value of values) pushVarint(bytes, value)
        const reader = varintReader(Uint8Array.from(bytes))
        assert.deepEqual(
          values.map(() => reader.next()),
          values,
        )
        assert.ok(reader.atEnd())
      }),
    )
    for (const value of [0, -1, 1, STATE_VALUE_MAX, -STATE_VALUE_MAX]) assert.equal(unzigzag(zigzag(value)), value)
  })

  it('is refused when it is too large or endless', () => {
    assert.throws(() => varintReader(Uint8Array.from([255, 255, 255, 255, 255, 255, 255, 127])).next(), RangeError)
    assert.throws(() => varintReader(new Uint8Array(50).fill(255)).next(), RangeError)
  })
})
