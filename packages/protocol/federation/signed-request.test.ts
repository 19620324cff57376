import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { parseExactly } from '../event/exact-json.ts'
import type { ServerName } from '../ids/brand.ts'
import { canonicalJson } from '../json/canonical.ts'
import type { JsonValue } from '../json/value.ts'
import { createSigningKey } from '../signing/signing-key.ts'
import { signJson } from '../signing/sign-json.ts'
import { parseVerifyKey } from '../signing/verify-key.ts'
import type { FederationRequest } from './signed-request.ts'
import { requestSignatureText, signRequest, verifyRequest } from './signed-request.ts'
import { parseXMatrix, parseXMatrixList } from './x-matrix.ts'

const first = createSigningKey({ keyId: 'ed25519:key1', seed: new Uint8Array(32).fill(1) })
const second = createSigningKey({ keyId: 'ed25519:key2', seed: new Uint8Array(32).fill(2) })
const REQUEST: FederationRequest = {
  method: 'PUT',
  uri: '/_matrix/federation/v1/send/%C3%A9?x=%2F&y',
  origin: 'origin.hs.example.com' as ServerName,
  destination: 'destination.hs.example.com' as ServerName,
  content: { pdus: [], z: null, a: { 'é"': 1 } },
}
const { content: _, ...WITHOUT_BODY } = REQUEST

const keyOf = (keyId: string) =>
  [first, second].flatMap((key) => (key.keyId === keyId ? parseVerifyKey(key.publicKey) : [])).at(0)

function verdictOn(request: FederationRequest, header: string) {
  return verifyRequest(request, { credentials: parseXMatrixList(header)!, keyOf })
}

describe('the signature on a request', () => {
  test('covers the JSON of the specification', () => {
    for (const request of [REQUEST, WITHOUT_BODY]) {
      assert.equal(requestSignatureText(request), canonicalJson(request as unknown as JsonValue))
      const signed = signJson(request as unknown as Record<string, JsonValue>, { signer: request.origin, key: first })
      const { signature } = parseXMatrix(signRequest(request, first))!
      assert.equal(
        JSON.stringify(signed['signatures']),
        JSON.stringify({ [request.origin]: { 'ed25519:key1': signature } }),
      )
    }
    assert.equal(
      requestSignatureText(WITHOUT_BODY),
      '{"destination":"destination.hs.example.com","method":"PUT","origin":"origin.hs.example.com","uri":"/_matrix/federation/v1/send/%C3%A9?x=%2F&y"}',
    )
  })

  test('holds for the request that was signed', () => {
    assert.deepEqual(verdictOn(REQUEST, signRequest(REQUEST, first)), { valid: true, keyIds: ['ed25519:key1'] })
  })

  test('does not hold when anything else came: method, target, servers, body, a body added or left out', () => {
    const header = signRequest(REQUEST, first)
    for (const changed of [
      { method: 'POST' },
      { uri: '/_matrix/federation/v1/send/é?x=%2F&y' },
      { uri: '/_matrix/federation/v1/send/%C3%A9?x=/&y' },
      { uri: '/_matrix/federation/v1/send/%c3%a9?x=%2F&y' },
      { origin: 'other' as ServerName },
      { destination: 'other' as ServerName },
      { content: { ...(REQUEST.content as object), z: 0 } },
      { content: undefined },
    ]) {
      const verdict = verdictOn({ ...REQUEST, ...changed }, header)
      assert.deepEqual(verdict, { valid: false, problem: 'bad-signature', keyId: 'ed25519:key1' })
    }
    assert.equal(verdictOn({ ...WITHOUT_BODY, content: {} }, signRequest(WITHOUT_BODY, first)).valid, false)
    assert.equal(verdictOn({ ...WITHOUT_BODY, content: null }, signRequest(WITHOUT_BODY, first)).valid, false)
  })

  test('may be one of several: unknown keys are skipped, a wrong signature by a known one is not', () => {
    const [one, two] = [signRequest(REQUEST, first), signRequest(REQUEST, second)]
    const unknown = one.replace('key1', 'key3')
    const wrong = signRequest({ ...REQUEST, method: 'POST' }, second)
    assert.deepEqual(verdictOn(REQUEST, `${one}, ${two}`), { valid: true, keyIds: ['ed25519:key1', 'ed25519:key2'] })
    assert.deepEqual(verdictOn(REQUEST, `${unknown}, ${two}`), { valid: true, keyIds: ['ed25519:key2'] })
    assert.deepEqual(verdictOn(REQUEST, unknown), { valid: false, problem: 'unknown-key' })
    assert.equal(verdictOn(REQUEST, `${one}, ${wrong}`).valid, false)
    assert.deepEqual(verifyRequest(REQUEST, { credentials: [], keyOf }), { valid: false, problem: 'not-signed' })
  })

  test('does not fail a whole transaction for an event of an old room version with a fraction in it', () => {
    const request = { ...REQUEST, content: { pdus: [{ content: { level: 0.5 } }] } }
    assert.match(requestSignatureText(request)!, /"level":0\.5/)
    assert.equal(verdictOn(request, signRequest(request, first)).valid, true)
  })

  test('covers numbers as they were spelt, if the body is read so', () => {
    const body = '{"pdus":[{"content":{"ban":50.0,"big":9007199254740993}}]}'
    const text = requestSignatureText({ ...REQUEST, content: parseExactly(body) })
    assert.ok(text!.startsWith(`{"content":${body},"destination":`))
  })

  test('cannot hold for a body that has no canonical form', () => {
    const request = { ...REQUEST, content: { text: '\ud800' } }
    assert.equal(requestSignatureText(request), undefined)
    assert.throws(() => signRequest(request, first), TypeError)
    assert.deepEqual(verdictOn(request, signRequest(REQUEST, first)), { valid: false, problem: 'not-canonical' })
  })
})
