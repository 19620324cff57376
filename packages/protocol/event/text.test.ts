import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { JsonValue } from '../json/value.ts'
import { rulesFor } from '../room-version/rules.ts'
import { eventText } from './text.ts'

const loose = (value: JsonValue): string | undefined => eventText({ value }, rulesFor('5')!)

/** Left the double, right how the servers of room versions 1 to 5 wrote it. */
const NUMBERS: readonly (readonly [number, string])[] = [
  [0.5, '0.5'],
  [50.57, '50.57'],
  [-50.57, '-50.57'],
  [0.1, '0.1'],
  [0.0001, '0.0001'],
  [0.00001, '1e-05'],
  [0.000012345, '1.2345e-05'],
  [1e-7, '1e-07'],
  [1.5e-10, '1.5e-10'],
  [5e-324, '5e-324'],
  [123456789.125, '123456789.125'],
  [2 ** 53, '9007199254740992'],
  [2 ** 63, '9223372036854775808'],
  [-0, '-0.0'],
]

test('fractions in events of old rooms are written as they were when they were signed', () => {
  for (const [number, text] of NUMBERS) assert.equal(loose(number), `{"value":${text}}`)
})

test('keys around a fraction are in the order of code points', () => {
  assert.equal(
    loose({ '\u{1F600}': 1, '\uFF5E': 0.5, a: [true, null, 'x'] }),
    '{"value":{"a":[true,null,"x"],"\uFF5E":0.5,"\u{1F600}":1}}',
  )
})

test('what nobody could have written has no text', () => {
  for (const value of [Infinity, NaN, { a: '\ud800', b: 0.5 }, { '\ud800': 0.5 }]) assert.equal(loose(value), undefined)
})

test('fractions may be as deep inside as they like', () => {
  const depth = 30_000
  let value: JsonValue = 0.5
  for (let level = 0; level < depth; level += 1) value = [value]
  assert.ok(loose(value) === `{"value":${'['.repeat(depth)}0.5${']'.repeat(depth)}}`)
})

test('from version 6 on there are no fractions', () => {
  assert.equal(eventText({ value: 0.5 }, rulesFor('6')!), undefined)
  assert.equal(eventText({ value: 5 }, rulesFor('6')!), '{"value":5}')
})
