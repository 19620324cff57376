import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { inspect } from 'node:util'
import { parseJson } from '../json/parse.ts'
import { canonicalJson } from '../json/canonical.ts'
import { isObject, type JsonObject } from '../json/value.ts'
import { decodeBase64Tolerant } from './base64.ts'
import { signedText, signJson, signatureKeyIds, verifySignedJson } from './sign-json.ts'
import { createSigningKey } from './signing-key.ts'
import { parseVerifyKey, type VerifyKey } from './verify-key.ts'

// <https://spec.matrix.org/v1.19/appendices/#cryptographic-test-vectors>
const SEED = decodeBase64Tolerant('YJDBA9Xnr2sVqXD9Vj7XVUnmFZcZrlw8Md7kMW+3XA1') as Uint8Array
const key = createSigningKey({ keyId: 'ed25519:1', seed: SEED })
const otherKey = createSigningKey({ keyId: 'ed25519:2', seed: new Uint8Array(32).fill(1) })
const verifyKey = parseVerifyKey(key.publicKey) as VerifyKey
const otherVerifyKey = parseVerifyKey(otherKey.publicKey) as VerifyKey

function object(text: string): JsonObject {
  const parsed = parseJson(text)
  assert.ok(parsed.ok && isObject(parsed.value))
  return parsed.value
}

const keyOf = (keyId: string) => (keyId === 'ed25519:1' ? verifyKey : undefined)
const check = (value: JsonObject, signer = 'domain') => verifySignedJson(value, { signer, keyOf })

function problemOf(value: JsonObject, signer = 'domain'): string {
  const verdict = check(value, signer)
  return verdict.valid ? 'none' : verdict.problem
}

describe('signed JSON', () => {
  it('is as in the test vectors of the specification', () => {
    const vectors = {
      '{}': 'K8280/U9SSy9IVtjBuVeLr+HpOB4BQFWbg+UZaADMtTdGYI7Geitb76LTrr5QV/7Xg4ahLwYGYZzuHGZKM5ZAQ',
      '{"one":1,"two":"Two"}': 'KqmLSbO39/Bzb0QIYE82zqLwsA+PDzYIpIRA2sRQ4sL53+sN6/fpNSoqE7BP7vBZhG6kYdD13EIMJpvhJI+6Bw',
    }
    for (const [source, signature] of Object.entries(vectors)) {
      const signed = signJson(object(source), { signer: 'domain', key })
      const { signatures, ...rest } = signed
      assert.equal(canonicalJson(signatures ?? null), `{"domain":{"ed25519:1":"${signature}"}}`)
      assert.equal(canonicalJson(rest), source)
      assert.deepEqual(check(signed), { valid: true, keyIds: ['ed25519:1'] })
    }
  })

  it('does not cover signatures and unsigned', () => {
    const signed = signJson(object('{"a":1,"unsigned":{"age":5}}'), { signer: 'domain', key })
    assert.ok(isObject(signed['unsigned']))
    assert.ok(check({ ...signed, unsigned: { age: 6 } }).valid)
    assert.equal(problemOf({ ...signed, a: 2 }), 'bad-signature')
    assert.equal(problemOf({ ...signed, b: 2 }), 'bad-signature')
    assert.equal(signedText(signed), '{"a":1}')
  })

  it('keeps signatures of others, and leaves the object as it was', () => {
    const source = object('{"a":1}')
    const once = signJson(source, { signer: 'first', key })
    const twice = signJson(once, { signer: 'second', key })
    const both = signJson(twice, { signer: 'second', key: otherKey })
    assert.ok(check(both, 'first').valid && check(both, 'second').valid)
    assert.deepEqual(signatureKeyIds(both, 'second'), ['ed25519:1', 'ed25519:2'])
    assert.equal(canonicalJson(source), '{"a":1}')
    assert.deepEqual(signatureKeyIds(once, 'second'), [])
  })

  it('takes a signer named __proto__ for one like any other', () => {
    const signed = signJson(object('{"a":1}'), { signer: '__proto__', key })
    assert.ok(check(signed, '__proto__').valid)
    assert.equal(problemOf(object('{"a":1,"signatures":{}}'), '__proto__'), 'not-signed')
    assert.equal(problemOf({ signatures: {} }, 'constructor'), 'not-signed')
  })
})

describe('check of signed JSON', () => {
  const signed = signJson(object('{"a":1}'), { signer: 'domain', key })

  it('fails without a signature of the signer', () => {
    for (const text of [
      '{}',
      '{"signatures":{}}',
      '{"signatures":null}',
      '{"signatures":[]}',
      '{"signatures":{"domain":"x"}}',
      '{"signatures":{"domain":{}}}',
    ]) {
      assert.equal(problemOf(object(text)), 'not-signed', text)
    }
    assert.equal(problemOf(signed, 'other'), 'not-signed')
  })

  it('passes over algorithms and keys it does not know, as long as one remains', () => {
    const unknown = (keyId: string) => object(`{"a":1,"signatures":{"domain":{"${keyId}":"AAAA"}}}`)
    assert.equal(problemOf(unknown('rsa:1')), 'not-signed')
    assert.equal(problemOf(unknown('ed25519')), 'not-signed')
    assert.equal(problemOf(unknown('ed25519:9')), 'unknown-key')
    assert.ok(check(signJson(unknown('ed25519:9'), { signer: 'domain', key })).valid)
  })

  it('fails when a known key has a bad signature, even beside a good one', () => {
    const both = signJson(signed, { signer: 'domain', key: otherKey })
    const bothKeys = (keyId: string) => (keyId === 'ed25519:1' ? verifyKey : otherVerifyKey)
    assert.ok(verifySignedJson(both, { signer: 'domain', keyOf: bothKeys }).valid)
    const wrong = verifySignedJson(both, { signer: 'domain', keyOf: () => verifyKey })
    assert.deepEqual(wrong, { valid: false, problem: 'bad-signature', keyId: 'ed25519:2' })
  })

  it('fails for a signature that is no base64 string of 64 bytes', () => {
    for (const signature of ['""', '"AAAA"', '1', 'null', '{}', '[]', '"????"']) {
      assert.equal(problemOf(object(`{"a":1,"signatures":{"domain":{"ed25519:1":${signature}}}}`)), 'bad-signature')
    }
  })

  it('reads a padded signature as the same', () => {
    const signature = key.sign('{"a":1}')
    assert.ok(check(object(`{"a":1,"signatures":{"domain":{"ed25519:1":"${signature}=="}}}`)).valid)
    for (const spelling of [
      `${signature}=`,
      ` ${signature}`,
      signature.replaceAll('+', '-').replaceAll('/', '_').concat('-'),
    ]) {
      assert.equal(problemOf(object(`{"a":1,"signatures":{"domain":{"ed25519:1":"${spelling}"}}}`)), 'bad-signature')
    }
  })

  it('fails for numbers that canonical JSON does not have', () => {
    assert.equal(problemOf({ ...signed, b: 0.5 }), 'not-canonical')
  })
})

describe('signing key', () => {
  it('shows nothing of its secret when it is printed', () => {
    const shown = [
      inspect(key, { depth: Infinity, showHidden: true }),
      JSON.stringify(key),
      JSON.stringify(Object.getOwnPropertyDescriptors(key)),
      inspect(Object.values(key), { depth: Infinity, showHidden: true }),
    ].join('\n')
    for (const form of ['base64', 'base64url', 'hex'] as const) {
      const secret = Buffer.from(SEED).toString(form)
      assert.ok(!shown.includes(secret.slice(0, 16)), form)
    }
    assert.ok(!shown.includes(String(SEED.slice(0, 6))))
  })

  it('cannot be changed', () => {
    assert.throws(() => Object.assign(key, { keyId: 'ed25519:x' }), TypeError)
  })

  it('is refused with a wrong id or a seed of a wrong length', () => {
    for (const keyId of ['', 'ed25519', 'ed25519:', 'ed25519:a b', 'rsa:1', 'ed25519:a:b', 'ed25519:é']) {
      assert.throws(() => createSigningKey({ keyId, seed: SEED }), TypeError, keyId)
    }
    for (const length of [0, 31, 33, 64]) {
      assert.throws(() => createSigningKey({ keyId: 'ed25519:1', seed: new Uint8Array(length) }), TypeError)
    }
  })

  it('does not depend on the seed buffer once it is made', () => {
    const seed = Uint8Array.from(SEED)
    const own = createSigningKey({ keyId: 'ed25519:1', seed })
    seed.fill(0)
    assert.equal(own.sign('x'), key.sign('x'))
  })
})
