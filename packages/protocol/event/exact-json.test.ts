import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import type { ServerName } from '../ids/brand.ts'
import { canonicalJson } from '../json/canonical.ts'
import { parseJson } from '../json/parse.ts'
import { isObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { ROOM_VERSIONS, rulesFor } from '../room-version/rules.ts'
import type { RoomRules } from '../room-version/rules.ts'
import { sha256Base64 } from '../signing/hash.ts'
import { signatureHolds } from '../signing/sign-json.ts'
import { createSigningKey } from '../signing/signing-key.ts'
import { parseVerifyKey } from '../signing/verify-key.ts'
import { cpuMillisecondsOf } from '../testing/cpu-time.ts'
import { parseExactly } from './exact-json.ts'
import { parsePdu } from './format.ts'
import type { ParsedPdu, PduProblem } from './format.ts'
import { signEventJson } from './sign.ts'
import { aRoom } from './testing/a-room.ts'
import { looseCanonicalText } from './text.ts'

const key = createSigningKey({ keyId: 'ed25519:1', seed: new Uint8Array(32).fill(1) })
const verifyKey = parseVerifyKey(key.publicKey)!

function written(text: string): string | undefined {
  return looseCanonicalText(parseExactly(text))
}

/** Left as it comes, right as the servers of old room versions write what they sign: checked with Python's json module. */
const NUMBERS: readonly (readonly [literal: string, text: string])[] = [
  ['0', '0'],
  ['-0', '0'],
  ['-1', '-1'],
  ['1.0', '1.0'],
  ['-1.0', '-1.0'],
  ['0.0', '0.0'],
  ['-0.0', '-0.0'],
  ['-0e5', '-0.0'],
  ['1e3', '1000.0'],
  ['1E3', '1000.0'],
  ['1e+3', '1000.0'],
  ['100.0', '100.0'],
  ['50.57', '50.57'],
  ['0.10', '0.1'],
  ['1.50e-10', '1.5e-10'],
  ['0.0001', '0.0001'],
  ['0.00001', '1e-05'],
  ['5e-324', '5e-324'],
  ['1e-400', '0.0'],
  ['1e15', '1000000000000000.0'],
  ['9999999999999998.0', '9999999999999998.0'],
  ['1e16', '1e+16'],
  ['1.25e16', '1.25e+16'],
  ['1e21', '1e+21'],
  ['1e22', '1e+22'],
  ['-1.7976931348623157e308', '-1.7976931348623157e+308'],
  ['9007199254740991', '9007199254740991'],
  ['9007199254740993', '9007199254740993'],
  ['-9007199254740993', '-9007199254740993'],
  ['18446744073709551616', '18446744073709551616'],
  ['123456789012345678901234567890', '123456789012345678901234567890'],
]

describe('numbers of old room versions', () => {
  test('are written as they were signed', () => {
    for (const [literal, text] of NUMBERS) {
      assert.equal(
        written(`{"a":[${literal}],"b": ${literal} ,"c":${literal}}`),
        `{"a":[${text}],"b":${text},"c":${text}}`,
      )
      assert.equal(written(literal), text)
    }
  })

  test('are not looked for in strings', () => {
    const text = String.raw`{"a\"1.0":"1.0 \\","\\":1.0,"b\\\"":"\"2.0,\\\\\"3.0"}`
    assert.equal(written(text), String.raw`{"\\":1.0,"a\"1.0":"1.0 \\","b\\\"":"\"2.0,\\\\\"3.0"}`)
    assert.equal(written('{"\u{1f600}":"\u{10000}1.0","x":1.5}'), '{"x":1.5,"\u{1f600}":"\u{10000}1.0"}')
  })

  test('may stand at any depth, beside keys of any name', () => {
    const depth = 30_000
    const deep = `${'[1.0,'.repeat(depth)}0${']'.repeat(depth)}`
    assert.ok(written(deep) === deep)
    assert.equal(written('{"__proto__":{"a":1.0}}'), '{"__proto__":{"a":1.0}}')
  })

  test('that canonical JSON can say change nothing', () => {
    fc.assert(
      fc.property(fc.jsonValue(), (value) => {
        const parsed = parseJson(JSON.stringify(value))
        if (!parsed.ok || !parsed.canonicalNumbers) return
        assert.equal(written(JSON.stringify(value)), canonicalJson(parsed.value))
      }),
    )
  })

  test('are a fraction of the same value, or the same integer', () => {
    fc.assert(
      fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (double) => {
        const literal = /[.e]/.test(String(double)) ? String(double) : `${double}.0`
        assert.equal(Number(written(literal)) + 0, double + 0)
        assert.match(written(literal)!, /^-?\d+(?:\.\d+)?(?:e[-+]\d{2,3})?$/)
      }),
    )
    fc.assert(fc.property(fc.bigInt(), (integer) => assert.equal(written(String(integer)), String(integer))))
  })

  test('of 13 MB are read in seconds', () => {
    const text = `[${'1.5,-0,"\\\\\\"",'.repeat(800_000)}0]`
    const spentMs = cpuMillisecondsOf(() => void parseExactly(text))
    assert.ok(spentMs < 5_000, `${spentMs} ms`)
  })
})

/** The message of another server with this content, spelt as it is here, with the hash that its text has. */
function wireText(rules: RoomRules, content: string): string {
  const room = aRoom({ version: rules.version }).join('@bob:b')
  const { hashes: _, ...rest } = JSON.parse(
    room.build({ sender: '@bob:b', type: 'm.room.power_levels', stateKey: '', content: { users: {} } }).json,
  ) as Record<string, JsonValue>
  const text = canonicalJson(rest).replace('"content":{"users":{}}', `"content":${content}`)
  const signed = `${text.slice(0, -1)},"hashes":{"sha256":"${sha256Base64(text)}"},"signatures":{}}`
  return signEventJson(signed, rules, 'b' as ServerName, key)
}

function receive(rules: RoomRules, text: string): ParsedPdu | PduProblem {
  const parsed = parseJson(text)
  assert.ok(parsed.ok && isObject(parsed.value))
  return parsePdu(parsed.value, rules, parsed.canonicalNumbers ? undefined : (parseExactly(text) as JsonObject))
}

for (const version of ROOM_VERSIONS) {
  const rules = rulesFor(version)!
  const contents = ['{"ban":50.0,"users":{"@bob:b":1e+16}}', '{"ban":9007199254740993}', '{"users":{"@bob:b":1e-05}}']
  if (rules.strictCanonicalJson) {
    test(`an event of version ${version} whose numbers are spelt in another way than the canonical one is dropped`, () => {
      const spelt = ['{"ban":50.0}', '{"ban":5e1}', '{"ban":9007199254740993}', '{"ban":-0}', '{"ban":0.5}']
      for (const content of spelt) {
        const parsed = receive(rules, wireText(rules, '{"ban":50}').replace('{"ban":50}', content))
        assert.equal(parsed.ok ? 'read' : parsed.problem, 'not-canonical')
      }
      assert.equal(receive(rules, wireText(rules, '{"ban":9007199254740991}')).ok, true)
    })
  } else {
    test(`an event of version ${version} keeps its numbers as they were signed, and the rules see their values`, () => {
      for (const content of contents) {
        const text = wireText(rules, content)
        const parsed = receive(rules, text)
        assert.ok(parsed.ok)
        assert.equal(parsed.hashMatches, true)
        assert.ok(parsed.json.includes(`"content":${content}`))
        assert.deepEqual(JSON.stringify(parsed.pdu.content), JSON.stringify(JSON.parse(content)))
        assert.equal(signatureHolds(verifyKey, parsed.signable, parsed.signatures['b']!['ed25519:1']!), true)
      }
    })

    test(`an event of version ${version} whose hash is wrong keeps them in what redaction leaves`, () => {
      const text = wireText(rules, '{"ban":50.0,"invite":5,"more":1.0}').replace('"more":1.0', '"more":2.0')
      const parsed = receive(rules, text)
      assert.ok(parsed.ok)
      assert.equal(parsed.hashMatches, false)
      assert.match(parsed.json, /"content":\{"ban":50\.0\}/)
      assert.equal(signatureHolds(verifyKey, parsed.signable, parsed.signatures['b']!['ed25519:1']!), true)
    })
  }
}
