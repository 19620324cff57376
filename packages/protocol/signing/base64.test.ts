import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { decodeBase64, decodeBase64Tolerant, decodeBase64Url, encodeBase64, encodeBase64Url } from './base64.ts'
import { sha256Base64, sha256Base64Url } from './hash.ts'

const text = (bytes: Uint8Array | undefined) => (bytes === undefined ? undefined : Buffer.from(bytes).toString())

// <https://spec.matrix.org/v1.19/appendices/#unpadded-base64>
const SPEC_EXAMPLES = { '': '', f: 'Zg', fo: 'Zm8', foo: 'Zm9v', foob: 'Zm9vYg', fooba: 'Zm9vYmE', foobar: 'Zm9vYmFy' }

describe('unpadded base64', () => {
  it('is as in the examples of the specification', () => {
    for (const [plain, encoded] of Object.entries(SPEC_EXAMPLES)) {
      assert.equal(encodeBase64(Buffer.from(plain)), encoded)
      assert.equal(text(decodeBase64(encoded)), plain)
    }
  })

  it('gives back every sequence of bytes, in both alphabets', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), (bytes) => {
        assert.deepEqual(decodeBase64(encodeBase64(bytes)), bytes)
        assert.deepEqual(decodeBase64Url(encodeBase64Url(bytes)), bytes)
        assert.deepEqual(decodeBase64Tolerant(encodeBase64(bytes)), bytes)
      }),
    )
  })

  it('has one spelling per value: whatever decodes, encodes to itself', () => {
    const spelling = fc
      .array(fc.constantFrom(...Array.from('AQgw/+-_= \n\tZm9vYé')), { maxLength: 10 })
      .map((all) => all.join(''))
    fc.assert(
      fc.property(spelling, (encoded) => {
        const bytes = decodeBase64(encoded)
        if (bytes !== undefined) assert.equal(encodeBase64(bytes), encoded)
        const urlBytes = decodeBase64Url(encoded)
        if (urlBytes !== undefined) assert.equal(encodeBase64Url(urlBytes), encoded)
      }),
      { numRuns: 3000 },
    )
  })

  it('refuses padding, whitespace, other alphabets, trailing bits and impossible lengths', () => {
    for (const bad of [
      'Zg==',
      'Zm8=',
      'Zm 8',
      'Zm8\n',
      ' Zm8',
      'Zh',
      'Zm9',
      'Z',
      'Zm9vY',
      '-_',
      'é',
      'Zm8\0',
      '====',
    ]) {
      assert.equal(decodeBase64(bad), undefined, bad)
    }
    assert.equal(decodeBase64('+/A')?.length, 2)
    assert.equal(decodeBase64Url('+/A'), undefined)
    assert.equal(decodeBase64Url('-_A')?.length, 2)
  })

  it('is read from other servers with correct padding and stray trailing bits too, and with nothing else', () => {
    for (const spelling of ['Zg', 'Zg==', 'Zh', 'Zh=='])
      assert.equal(text(decodeBase64Tolerant(spelling)), 'f', spelling)
    for (const spelling of ['Zm8', 'Zm8=', 'Zm9']) assert.equal(text(decodeBase64Tolerant(spelling)), 'fo', spelling)
    for (const bad of [
      'Zg=',
      'Zg===',
      'Z',
      'Z===',
      'Zm8==',
      '=',
      '====',
      'Zm 8',
      'Zm8\n',
      '-_A',
      'Zg==Zg==',
      'Zm9v=',
    ]) {
      assert.equal(decodeBase64Tolerant(bad), undefined, bad)
    }
  })
})

describe('SHA-256', () => {
  it('is given in both alphabets, of UTF-8', () => {
    assert.equal(sha256Base64(''), '47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU')
    assert.equal(sha256Base64Url(''), '47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU')
    assert.equal(sha256Base64('é'), sha256Base64(Uint8Array.from([0xc3, 0xa9])))
  })
})
