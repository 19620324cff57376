import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { canonicalJson, isCanonicalValue } from './canonical.ts'
import { compareByCodePoint, sortByCodePoint } from './order.ts'
import { parseJson } from './parse.ts'
import { emptyObject, type JsonValue } from './value.ts'

function parsed(text: string): JsonValue {
  const result = parseJson(text, { depthMax: Infinity })
  assert.ok(result.ok)
  return result.value
}

/** Canonical JSON by its definition, slowly. */
function canonicalByDefinition(value: JsonValue): string {
  if (typeof value !== 'object' || value === null) return JSON.stringify(value)
  if (Array.isArray(value)) return `[${value.map(canonicalByDefinition).join(',')}]`
  const members = Object.entries(value).sort(([left], [right]) => compareByDefinition(left, right))
  return `{${members.map(([key, member]) => `${JSON.stringify(key)}:${canonicalByDefinition(member)}`).join(',')}}`
}

function compareByDefinition(left: string, right: string): number {
  const [a, b] = [left, right].map((text) => Array.from(text, (character) => character.codePointAt(0) as number))
  assert.ok(a && b)
  const at = a.findIndex((point, index) => point !== b[index])
  return at === -1 ? a.length - b.length : (a[at] as number) - (b[at] ?? -1)
}

const KEY = fc.oneof(
  fc
    .array(fc.constantFrom('a', 'b', '1', 'é', '\uff61', '\ue000', '\uffff', '𐀀', '😀', '\ud7ff'), { maxLength: 4 })
    .map((all) => all.join('')),
  fc.string({ unit: 'binary', maxLength: 6 }),
  fc.nat(20).map(String),
)

const { value: VALUE } = fc.letrec<{ value: JsonValue }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4, withCrossShrink: true },
    fc.oneof(fc.string({ unit: 'binary' }), fc.maxSafeInteger(), fc.boolean(), fc.constant(null)),
    fc.array(tie('value'), { maxLength: 5 }),
    fc.dictionary(KEY, tie('value'), { maxKeys: 6 }),
  ),
}))

// <https://spec.matrix.org/v1.19/appendices/#canonical-json>
const SPEC_EXAMPLES: readonly (readonly [string, string])[] = [
  ['{}', '{}'],
  ['{ "one": 1, "two": "Two" }', '{"one":1,"two":"Two"}'],
  ['{ "b": "2", "a": "1" }', '{"a":"1","b":"2"}'],
  ['{"b":"2","a":"1"}', '{"a":"1","b":"2"}'],
  [
    `{ "auth": { "success": true, "mxid": "@john.doe:example.com", "profile": { "display_name": "John Doe", "three_pids": [
      { "medium": "email", "address": "john.doe@example.org" }, { "medium": "msisdn", "address": "123456789" } ] } } }`,
    '{"auth":{"mxid":"@john.doe:example.com","profile":{"display_name":"John Doe","three_pids":[{"address":"john.doe@example.org",' +
      '"medium":"email"},{"address":"123456789","medium":"msisdn"}]},"success":true}}',
  ],
  ['{ "a": "日本語" }', '{"a":"日本語"}'],
  ['{ "本": 2, "日": 1 }', '{"日":1,"本":2}'],
  ['{ "a": "\\u65E5" }', '{"a":"日"}'],
  ['{ "a": null }', '{"a":null}'],
  ['{ "a": -0, "b": 1e10 }', '{"a":0,"b":10000000000}'],
]

describe('canonical JSON', () => {
  for (const [source, canonical] of SPEC_EXAMPLES) {
    it(`is as in the example of the specification: ${canonical.slice(0, 40)}`, () =>
      assert.equal(canonicalJson(parsed(source)), canonical))
  }

  it('is what its definition says, for any value', () => {
    fc.assert(
      fc.property(VALUE, (value) => assert.equal(canonicalJson(value), canonicalByDefinition(value))),
      { numRuns: 2000 },
    )
  })

  it('does not depend on the order of keys, and comes back from the parser unchanged', () => {
    fc.assert(
      fc.property(VALUE, (value) => {
        const canonical = canonicalJson(value)
        const back = parseJson(canonical)
        assert.ok(back.ok && back.canonicalNumbers)
        assert.equal(canonicalJson(back.value), canonical)
        assert.ok(isCanonicalValue(back.value))
      }),
      { numRuns: 1000 },
    )
  })

  it('orders integer-like keys as text', () => {
    assert.equal(canonicalJson(parsed('{"b":1,"10":1,"9":1,"-1":1,"01":1}')), '{"-1":1,"01":1,"10":1,"9":1,"b":1}')
  })

  it('orders keys beyond the basic plane behind all others', () => {
    assert.equal(canonicalJson(parsed('{"\uff61":1,"😀":2}')), '{"\uff61":1,"😀":2}')
    assert.equal(canonicalJson(parsed('{"😀":2,"\uff61":1}')), '{"\uff61":1,"😀":2}')
    assert.equal(canonicalJson(parsed('{"a":{"😀":2,"\uff61":1}}')), '{"a":{"\uff61":1,"😀":2}}')
  })

  it('escapes only what must be escaped, in the shortest form', () => {
    const controls = Array.from({ length: 32 }, (_, code) => String.fromCharCode(code)).join('')
    const expected =
      '"\\u0000\\u0001\\u0002\\u0003\\u0004\\u0005\\u0006\\u0007\\b\\t\\n\\u000b\\f\\r\\u000e\\u000f\\u0010\\u0011\\u0012\\u0013' +
      '\\u0014\\u0015\\u0016\\u0017\\u0018\\u0019\\u001a\\u001b\\u001c\\u001d\\u001e\\u001f"'
    assert.equal(canonicalJson(controls), expected)
    assert.equal(canonicalJson('"\\/\u007f\u2028é😀'), '"\\"\\\\/\u007f\u2028é😀"')
  })

  it('has no text for fractions, unsafe integers, half pairs and undefined', () => {
    const undefinedMember = { a: undefined } as unknown as JsonValue
    const bad = [
      0.5,
      2 ** 53,
      -(2 ** 53),
      Number.NaN,
      Infinity,
      '\ud800',
      { '\udc00': 1 },
      [{ a: [1.5] }],
      undefinedMember,
      [undefined] as unknown as JsonValue,
    ]
    for (const value of bad) {
      assert.throws(() => canonicalJson(value), TypeError)
      assert.throws(() => canonicalJson({ z: 1, a: value }), TypeError)
    }
  })

  it('keeps the key __proto__', () => {
    const object = emptyObject()
    object['__proto__'] = 1
    object['a'] = 2
    assert.equal(canonicalJson(object), '{"__proto__":1,"a":2}')
  })

  it('has no depth at which it fails', () => {
    for (const depth of [199, 200, 201, 202, 50_000]) {
      const text = `${'{"b":[0,{"a":1}],"c":'.repeat(depth)}0${'}'.repeat(depth)}`
      assert.equal(canonicalJson(parsed(text)), text)
      const backwards = `${'{"c":0,"b":'.repeat(depth)}0${'}'.repeat(depth)}`
      assert.equal(canonicalJson(parsed(backwards)), `${'{"b":'.repeat(depth)}0${',"c":0}'.repeat(depth)}`)
    }
  })
})

describe('canonical value', () => {
  it('has only safe integers, no minus zero and no half pairs', () => {
    for (const value of [0, -1, 2 ** 53 - 1, 'x', null, true, {}, [], { a: [{ b: 1 }] }])
      assert.ok(isCanonicalValue(value))
    for (const value of [-0, 0.5, 2 ** 53, '\ud800', { '\ud800': 1 }, { a: [{ b: -0 }] }])
      assert.ok(!isCanonicalValue(value))
  })
})

describe('key order', () => {
  it('is that of code points', () => {
    fc.assert(
      fc.property(KEY, KEY, (left, right) => {
        assert.equal(Math.sign(compareByCodePoint(left, right)), Math.sign(compareByDefinition(left, right)))
      }),
      { numRuns: 2000 },
    )
    fc.assert(
      fc.property(fc.uniqueArray(KEY), (keys) => {
        assert.deepEqual(sortByCodePoint(keys.slice()), keys.toSorted(compareByDefinition))
      }),
    )
  })
})
