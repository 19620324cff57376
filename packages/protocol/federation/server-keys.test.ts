import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import type { ServerName } from '../ids/brand.ts'
import { parseJson } from '../json/parse.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { signJson } from '../signing/sign-json.ts'
import { createSigningKey } from '../signing/signing-key.ts'
import { parseVerifyKey } from '../signing/verify-key.ts'
import { parseNotaryAnswer, type NotaryEntry } from './notary-answer.ts'
import { buildServerKeys } from './own-keys.ts'
import { parseServerKeys } from './server-keys.ts'
import type { ServerKeysProblem } from './server-keys.ts'

const keyNamed = (keyId: string, byte: number) =>
  createSigningKey({ keyId: `ed25519:${keyId}`, seed: new Uint8Array(32).fill(byte) })
const first = keyNamed('a_1', 1)
const second = keyNamed('a_2', 2)
const old = keyNamed('old', 3)
const notaryKey = keyNamed('n', 4)
const server = 'example.org' as ServerName
const notary = 'notary.server.com' as ServerName

const KEYS = buildServerKeys({
  serverName: server,
  validUntilTs: 1_652_262_000_000,
  keys: [first, second],
  oldKeys: [{ keyId: old.keyId, publicKey: old.publicKey, expiredTs: 1_532_645_052_628 }],
})

/** With changes, signed anew. */
function resigned(changes: JsonObject, keys = [first]): JsonObject {
  const unsigned: JsonObject = { ...KEYS, ...changes, signatures: {} }
  return keys.reduce((signed, key) => signJson(signed, { signer: server, key }), unsigned)
}

function refused(value: JsonValue, problem: ServerKeysProblem['problem'], expected: ServerName = server): void {
  const parsed = parseServerKeys(value, expected)
  assert.equal(parsed.ok ? 'accepted' : parsed.problem, problem, JSON.stringify(value)?.slice(0, 300))
}

describe('the keys of a server', () => {
  test('are read as they were published: current ones, old ones, and until when', () => {
    const parsed = parseServerKeys(KEYS, server)
    assert.ok(parsed.ok)
    assert.equal(parsed.serverName, server)
    assert.equal(parsed.validUntilTs, 1_652_262_000_000)
    assert.deepEqual([...parsed.verifyKeys.keys()], ['ed25519:a_1', 'ed25519:a_2'])
    assert.equal(parsed.verifyKeys.get('ed25519:a_1')!.publicKey, first.publicKey)
    const [[keyId, oldKey] = []] = parsed.oldVerifyKeys
    assert.equal(keyId, 'ed25519:old')
    assert.deepEqual([oldKey!.key.publicKey, oldKey!.expiredTs], [old.publicKey, 1_532_645_052_628])
  })

  test('have the members of the specification when they are ours', () => {
    assert.deepEqual(Object.keys(KEYS).sort(), [
      'old_verify_keys',
      'server_name',
      'signatures',
      'valid_until_ts',
      'verify_keys',
    ])
    assert.equal(
      JSON.stringify(KEYS['old_verify_keys']),
      `{"ed25519:old":{"expired_ts":1532645052628,"key":"${old.publicKey}"}}`,
    )
  })

  test('are those of the server that was asked', () => {
    refused(KEYS, 'wrong-server', 'evil.org' as ServerName)
    refused(KEYS, 'wrong-server', 'Example.org' as ServerName)
    assert.equal(parseServerKeys(KEYS).ok, true)
  })

  test('are signed with one of the current keys in them at least, with none of them wrongly', () => {
    assert.equal(parseServerKeys(resigned({}, [second])).ok, true)
    refused(resigned({}, []), 'not-signed')
    refused(resigned({}, [old]), 'not-signed')
    refused(resigned({}, [keyNamed('elsewhere', 1)]), 'not-signed')
    refused(resigned({}, [keyNamed('a_1', 9)]), 'bad-signature')
    refused(resigned({}, [first, keyNamed('a_2', 9)]), 'bad-signature')
    refused({ ...KEYS, valid_until_ts: 1 }, 'bad-signature')
    refused({ ...KEYS, more: 1 }, 'bad-signature')
    refused(signJson(resigned({}, []), { signer: 'evil.org', key: first }), 'not-signed')
    assert.equal(parseServerKeys(resigned({}, [first, keyNamed('unknown', 9)])).ok, true)
  })

  test('in the example of the specification are not signed with what they list', () => {
    const example = {
      server_name: 'example.org',
      verify_keys: { 'ed25519:abc123': { key: 'VGhpcyBzaG91bGQgYmUgYSByZWFsIGVkMjU1MTkgcGF5bG9hZA' } },
      old_verify_keys: {
        'ed25519:0ldk3y': {
          expired_ts: 1532645052628,
          key: 'VGhpcyBzaG91bGQgYmUgeW91ciBvbGQga2V5J3MgZWQyNTUxOSBwYXlsb2FkLg',
        },
      },
      signatures: { 'example.org': { 'ed25519:auto2': 'VGhpcyBzaG91bGQgYWN0dWFsbHkgYmUgYSBzaWduYXR1cmU' } },
      valid_until_ts: 1652262000000,
    }
    refused(example, 'not-signed')
  })

  test('have members of the right types', () => {
    for (const value of [null, [], 'x', 1, {}]) refused(value, 'malformed')
    const wrong: Readonly<Record<string, readonly JsonValue[]>> = {
      server_name: [null, 1, '', 'a/b', 'a:b', ['example.org']],
      valid_until_ts: [null, '1', 1.5, 2 ** 63, []],
      verify_keys: [null, [], 'x', { 'ed25519:x': null }, { 'ed25519:x': {} }, { 'ed25519:x': { key: 1 } }],
      old_verify_keys: ['', 0, [], { 'ed25519:x': { key: old.publicKey } }, { 'ed25519:x': { expired_ts: 1 } }],
    }
    for (const [field, values] of Object.entries(wrong)) {
      for (const value of values) refused({ ...KEYS, [field]: value }, 'malformed')
    }
    const late = { 'ed25519:x': { key: old.publicKey, expired_ts: '1' } }
    refused({ ...KEYS, old_verify_keys: late }, 'malformed')
    refused({ ...KEYS, verify_keys: { 'ed25519:a b': { key: first.publicKey } } }, 'malformed')
    assert.equal(parseServerKeys(resigned({ old_verify_keys: null })).ok, true)
  })

  test('of other algorithms, of no use, or known to everybody, are left out', () => {
    const own = KEYS['verify_keys'] as JsonObject
    const more: JsonObject = {
      'curve25519:x': null,
      'dilithium:x': { key: 5 },
      'no algorithm': 1,
      'ed25519:short': { key: 'AAAA' },
      'ed25519:small': { key: 'AQAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA' },
      'ed25519:spaces': { key: ` ${old.publicKey}` },
      'ed25519:weak': { key: 'l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3og' },
      'ed25519:weakPadded': { key: 'l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3og=' },
      'ed25519:weakBits': { key: 'l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3oh' },
    }
    const parsed = parseServerKeys(resigned({ verify_keys: { ...own, ...more } }))
    assert.ok(parsed.ok)
    assert.deepEqual([...parsed.verifyKeys.keys()], Object.keys(own))
  })

  test('that are listed as old are not current, whatever else is said', () => {
    const both = { ...(KEYS['old_verify_keys'] as JsonObject), 'ed25519:a_2': { key: second.publicKey, expired_ts: 5 } }
    const parsed = parseServerKeys(resigned({ old_verify_keys: both }))
    assert.ok(parsed.ok)
    assert.deepEqual([...parsed.verifyKeys.keys()], ['ed25519:a_1'])
    assert.equal(parsed.oldVerifyKeys.get('ed25519:a_2')!.expiredTs, 5)
  })

  test('are at most 256', () => {
    const many = Object.fromEntries(Array.from({ length: 255 }, (_, index) => [`ed25519:${index}`, { key: 'x' }]))
    assert.equal(
      parseServerKeys(
        resigned({ verify_keys: { ...many, 'ed25519:a_1': { key: first.publicKey } }, old_verify_keys: {} }),
      ).ok,
      true,
    )
    refused(resigned({ verify_keys: many }), 'not-signed')
    refused({ ...KEYS, verify_keys: { ...many, 'ed25519:a_1': { key: first.publicKey } } }, 'too-many-keys')
  })

  test('never make the parser fail', () => {
    const names = fc.constantFrom('server_name', 'verify_keys', 'valid_until_ts', 'old_verify_keys', 'signatures')
    fc.assert(
      fc.property(names, fc.jsonValue(), (name, value) => {
        const parsed = parseJson(JSON.stringify({ ...KEYS, [name]: value }))
        if (parsed.ok) parseServerKeys(parsed.value, server)
      }),
    )
  })
})

describe('the answer of a notary', () => {
  const keyOf = (keyId: string) => (keyId === notaryKey.keyId ? parseVerifyKey(notaryKey.publicKey) : undefined)
  const countersigned = (keys: JsonObject) => signJson(keys, { signer: notary, key: notaryKey })
  const entries = (value: JsonValue): readonly NotaryEntry[] => {
    const answer = parseNotaryAnswer(value, { serverName: notary, keyOf })
    assert.ok(answer.ok)
    return answer.entries
  }

  test('has keys that the server and the notary signed, each entry for itself', () => {
    const forged = countersigned(resigned({}, [keyNamed('a_1', 9)]))
    const unsigned = countersigned(resigned({}, []))
    const alone = KEYS
    const wrong = signJson(KEYS, { signer: notary, key: keyNamed('n', 9) })
    const found = entries({
      server_keys: [countersigned(KEYS), forged, unsigned, alone, wrong, null, countersigned(KEYS)],
    })
    assert.deepEqual(
      found.map(({ keys }) => (keys.ok ? keys.serverName : keys.problem)),
      [server, 'bad-signature', 'not-signed', 'not-signed', 'bad-signature', 'malformed', server],
    )
  })

  test('may be empty', () => assert.deepEqual(entries({ server_keys: [] }), []))

  test('is a list of bounded length', () => {
    for (const value of [
      null,
      {},
      { server_keys: null },
      { server_keys: {} },
      [],
      { server_keys: Array(1_001).fill(null) },
    ]) {
      assert.equal(parseNotaryAnswer(value, { serverName: notary, keyOf }).ok, false)
    }
  })

  test('about the notary itself needs only its own signature', () => {
    const own = buildServerKeys({ serverName: notary, validUntilTs: 5, keys: [notaryKey], oldKeys: [] })
    assert.deepEqual(
      entries({ server_keys: [own] }).map(({ keys }) => keys.ok),
      [true],
    )
  })
})
