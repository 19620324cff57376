import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { cpuMillisecondsOf } from '../testing/cpu-time.ts'
import { canonicalJson } from './canonical.ts'
import { type JsonParsed, parseJson } from './parse.ts'
import { isObject, type JsonValue } from './value.ts'

function valueOf(input: string | Uint8Array): JsonValue {
  const parsed = parseJson(input)
  assert.ok(parsed.ok, parsed.ok ? '' : parsed.message)
  return parsed.value
}

function problemOf(input: string | Uint8Array, options?: { depthMax?: number }): string {
  const parsed: JsonParsed = parseJson(input, options)
  return parsed.ok ? 'none' : parsed.problem
}

function areNumbersCanonical(input: string): boolean {
  const parsed = parseJson(input)
  assert.ok(parsed.ok)
  return parsed.canonicalNumbers
}

const nested = (depth: number): string => '['.repeat(depth) + ']'.repeat(depth)

describe('strict JSON parser: grammar', () => {
  it('reads every kind of value', () => {
    const text = ' {"a":[1,-2.5,true,false,null,"x"],"b":{"c":{}},"d":[]} \r\n\t'
    assert.equal(JSON.stringify(valueOf(text)), text.trim())
    for (const scalar of ['0', '-1', '"x"', 'true', 'null', '""']) assert.equal(JSON.stringify(valueOf(scalar)), scalar)
  })

  it('refuses what is not JSON', () => {
    const bad = [
      '', ' ', '{', '}', '[', '[1,]', '{"a":1,}', '{a:1}', "{'a':1}", '{"a" 1}', '[1 2]', '01', '-', '+1', '.5', '1.', '1e', '0x10',
      'NaN', 'Infinity', '-Infinity', 'nul', 'True', 'undefined', '"a', '"\n"', '"\t"', '"\u0000"', '"\\x"', '"\\u12"', '1 2', '{}{}',
      '// a\n1', '/**/1', '\u00a01', '[1]]', '{"a":}', '{:1}', '{"a":1 "b":2}', '--1', '1-', '1e+', ',', ':', '[,]',
    ] // prettier-ignore
    for (const text of bad) assert.equal(problemOf(text), 'syntax', JSON.stringify(text))
  })

  it('accepts nothing that the engine refuses, and the other way round, but for what it is stricter about', () => {
    const pieces = fc.constantFrom(
      '{',
      '}',
      '[',
      ']',
      ',',
      ':',
      '"a"',
      '"b"',
      '1',
      '-',
      '0',
      'e',
      '.',
      'true',
      'null',
      ' ',
      '"',
      '\\',
    )
    fc.assert(
      fc.property(fc.array(pieces, { maxLength: 12 }), (all) => {
        const text = all.join('')
        const problem = problemOf(text)
        let valid = true
        try {
          JSON.parse(text)
        } catch {
          valid = false
        }
        if (valid)
          assert.ok(problem === 'none' || problem === 'duplicate-key' || problem === 'number-out-of-range', text)
        else assert.equal(problem, 'syntax', text)
      }),
      { numRuns: 3000 },
    )
  })
})

describe('strict JSON parser: text', () => {
  it('refuses bytes that are not UTF-8', () => {
    const bad = [
      [0xff],
      [0xc0, 0x80],
      [0xed, 0xa0, 0x80],
      [0xe2, 0x82],
      [0xf5, 0x80, 0x80, 0x80],
      [0x80],
      [0xf0, 0x82, 0x82, 0xac],
    ]
    for (const bytes of bad) {
      assert.equal(problemOf(Uint8Array.from([0x22, ...bytes, 0x22])), 'encoding', Buffer.from(bytes).toString('hex'))
    }
  })

  it('refuses a byte order mark', () => {
    assert.equal(problemOf(Uint8Array.from([0xef, 0xbb, 0xbf, 0x31])), 'syntax')
  })

  it('refuses half of a surrogate pair, raw or escaped, in values and in keys', () => {
    const bad = [
      '"\ud800"', '"\udc00"', '"\ud800a"', '"\\ud800"', '"\\uDFFF"', '"\\udc00\\ud800"', '{"\\ud800":1}', '{"a":{"b":["\\ud83d"]}}',
      '["\\ud83d\\ud83d\\ude00"]',
    ] // prettier-ignore
    for (const text of bad) assert.equal(problemOf(text), 'lone-surrogate', text)
  })

  it('reads pairs, raw and escaped', () => {
    assert.equal(valueOf('"\\ud83d\\ude00"'), '😀')
    assert.equal(valueOf('"😀"'), '😀')
    assert.equal(valueOf('"\\uD83D\\uDE00 \\ud7ff"'), '😀 \ud7ff')
    assert.equal(valueOf('"\\\\ud800"'), '\\ud800')
  })

  it('keeps NUL and other escaped control characters', () => {
    assert.equal(valueOf('"a\\u0000\\n\\u001f\\/"'), 'a\0\n\u001f/')
  })

  it('gives the same for bytes and for text', () => {
    fc.assert(
      fc.property(fc.json({ stringUnit: 'binary' }), (text) =>
        assert.deepEqual(parseJson(new TextEncoder().encode(text)), parseJson(text)),
      ),
    )
  })
})

describe('strict JSON parser: keys', () => {
  it('refuses the same key twice, however it is written', () => {
    const bad = [
      '{"a":1,"a":1}',
      '{"a":1,"\\u0061":2}',
      '[{"b":{"a":1,"c":2,"a":3}}]',
      '{"":1,"":2}',
      '{"__proto__":1,"__proto__":2}',
      '{"1":1,"1":2}',
    ]
    for (const text of bad) assert.equal(problemOf(text), 'duplicate-key', text)
  })

  it('is not confused by colons and quotes inside of strings', () => {
    assert.equal(
      JSON.stringify(valueOf('{"a:b":":::","c\\"":"\\\\","d":"{\\":\\""}')),
      '{"a:b":":::","c\\"":"\\\\","d":"{\\":\\""}',
    )
  })

  it('knows no special key', () => {
    const keys = ['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'valueOf', 'toJSON', '__defineGetter__']
    for (const key of keys) {
      const value = valueOf(`{"${key}":{"polluted":true}}`)
      assert.ok(isObject(value))
      assert.deepEqual(Object.keys(value), [key])
      assert.equal(canonicalJson(value), `{"${key}":{"polluted":true}}`)
      const empty = valueOf('{}')
      assert.ok(isObject(empty) && empty[key] === undefined && !(key in empty))
    }
    assert.equal(({} as Record<string, unknown>)['polluted'], undefined)
  })
})

describe('strict JSON parser: numbers', () => {
  it('notices on the source text whether all are canonical integers', () => {
    const canonical = [
      '0',
      '-1',
      '9007199254740991',
      '-9007199254740991',
      '[1,2,{"a":-10}]',
      '"1.5"',
      '{"1e5":0}',
      '999999999999999',
    ]
    for (const text of canonical) assert.ok(areNumbersCanonical(text), text)
    const other = [
      '1.0',
      '-0',
      '0.0',
      '-0.0',
      '1e2',
      '1E2',
      '1e-2',
      '9007199254740992',
      '-9007199254740992',
      '9007199254740993',
      '[1,[{"a":0.5}]]',
      '1e15',
    ]
    for (const text of other) assert.ok(!areNumbersCanonical(text), text)
  })

  it('refuses numbers that a double cannot hold', () => {
    for (const text of ['1e400', '-1E400', `1${'0'.repeat(400)}`, '[1e309]'])
      assert.equal(problemOf(text), 'number-out-of-range', text)
    assert.equal(problemOf('1e308'), 'none')
  })

  it('agrees with the definition for any number', () => {
    const literal = fc.oneof(
      fc.bigInt({ min: -(2n ** 60n), max: 2n ** 60n }).map(String),
      fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
      fc.integer().map(String),
    )
    fc.assert(
      fc.property(literal, (text) => {
        const expected = /^(?:0|-?[1-9][0-9]*)$/.test(text) && Number.isSafeInteger(Number(text))
        assert.equal(areNumbersCanonical(`{"a":[${text}]}`), expected, text)
      }),
      { numRuns: 2000 },
    )
  })
})

describe('strict JSON parser: depth', () => {
  it('is limited to 100 for clients', () => {
    assert.equal(problemOf(nested(100)), 'none')
    assert.equal(problemOf(nested(101)), 'depth')
    assert.equal(problemOf('{"a":'.repeat(101) + '1' + '}'.repeat(101)), 'depth')
    assert.equal(problemOf(`"${'['.repeat(1000)}"`), 'none')
    assert.equal(problemOf(`[${'[],'.repeat(1000)}[]]`), 'none')
  })

  it('is refused at once where it is limited, however deep', () => {
    const text = nested(1_000_000)
    const spent = Array.from({ length: 5 }, () => {
      return cpuMillisecondsOf(() => assert.equal(problemOf(text), 'depth'))
    })
    assert.ok(Math.min(...spent) < 10)
  })

  it('may be unlimited, without recursion', () => {
    const text = nested(1_000_000)
    const parsed = parseJson(text, { depthMax: Infinity })
    assert.ok(parsed.ok)
    assert.equal(canonicalJson(parsed.value), text)
  })
})

describe('strict JSON parser: round trips', () => {
  it('gives back every value', () => {
    fc.assert(
      fc.property(fc.jsonValue({ stringUnit: 'grapheme', maxDepth: 6 }), (value) => {
        const text = JSON.stringify(value)
        assert.equal(JSON.stringify(valueOf(text)), text)
      }),
      { numRuns: 1000 },
    )
  })
})
