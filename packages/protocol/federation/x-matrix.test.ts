import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import type { ServerName } from '../ids/brand.ts'
import { cpuMillisecondsOf } from '../testing/cpu-time.ts'
import { buildXMatrix, parseXMatrix, parseXMatrixList } from './x-matrix.ts'

const EXAMPLE =
  'X-Matrix origin="origin.hs.example.com",destination="destination.hs.example.com",key="ed25519:key1",sig="ABCDEF..."'
const PARSED = {
  origin: 'origin.hs.example.com',
  destination: 'destination.hs.example.com',
  keyId: 'ed25519:key1',
  signature: 'ABCDEF...',
}

function reads(header: string, expected: object | undefined): void {
  assert.deepEqual(parseXMatrix(header), expected, header)
}

describe('the header of a request between servers', () => {
  test('is read as in the example of the specification', () => reads(EXAMPLE, PARSED))

  test('may have any case in scheme and names, any order, spaces and tabs around commas, and empty list entries', () => {
    reads(EXAMPLE.replace('X-Matrix', 'x-mATRIX').replace('origin=', 'ORIGIN=').replace('sig=', 'Sig='), PARSED)
    reads(
      'X-Matrix   sig="ABCDEF..." \t, \tkey="ed25519:key1",, destination=destination.hs.example.com ,origin = "origin.hs.example.com",',
      PARSED,
    )
  })

  test('may have bare values as old servers write them: key ids, signatures, addresses', () => {
    reads('X-Matrix origin=a:8448,key=ed25519:1,sig=a/b+c==', {
      origin: 'a:8448',
      destination: undefined,
      keyId: 'ed25519:1',
      signature: 'a/b+c==',
    })
    reads('X-Matrix origin=[::1]:8448,destination=1.2.3.4,key=ed25519:a_b,sig=x', {
      origin: '[::1]:8448',
      destination: '1.2.3.4',
      keyId: 'ed25519:a_b',
      signature: 'x',
    })
  })

  test('may escape any character of a quoted value', () => {
    reads('X-Matrix origin="\\a\\:8",key="ed25519\\:1",sig="\\"\\\\,x"', {
      origin: 'a:8',
      destination: undefined,
      keyId: 'ed25519:1',
      signature: '"\\,x',
    })
  })

  test('may have parameters that nobody knows, with anything in them', () => {
    reads(`${EXAMPLE},x=1,y="a, X-Matrix origin=\\"evil\\", é",__proto__=2,constructor=3`, PARSED)
  })

  test('may call the signature by the name that the text of the specification has, but not by both', () => {
    reads(EXAMPLE.replace('sig=', 'signature='), PARSED)
    reads(`${EXAMPLE},signature=x`, undefined)
  })

  test('has every parameter once', () => {
    for (const more of ['origin=a', 'ORIGIN="origin.hs.example.com"', 'destination=b', 'key=ed25519:1', 'sig=x']) {
      reads(`${EXAMPLE},${more}`, undefined)
    }
    reads(`${EXAMPLE},x=1,X=1`, undefined)
  })

  test('has origin, key and signature, each of its form', () => {
    const parts = { origin: 'a', key: 'ed25519:1', sig: 'x' }
    const header = (changed: object): string =>
      `X-Matrix ${Object.entries({ ...parts, ...changed })
        .map(([name, value]) => `${name}="${value}"`)
        .join(',')}`
    assert.ok(parseXMatrix(header({})))
    for (const origin of ['', 'a/b', 'a b', 'a:b', 'a:123456', '[::1', 'é', '-_-', 'a'.repeat(256)]) {
      reads(header({ origin }), undefined)
      reads(header({ destination: origin }), undefined)
    }
    for (const key of ['', 'ed25519', 'ed25519:', ':1', 'ed25519:a b', 'ed25519:é', `ed25519:${'1'.repeat(129)}`]) {
      reads(header({ key }), undefined)
    }
    reads(header({ sig: '' }), undefined)
    for (const name of Object.keys(parts)) {
      reads(header({}).replace(`${name}=`, `not${name}=`), undefined)
    }
  })

  test('is nothing else', () => {
    for (const header of [
      '',
      ' ',
      'X-Matrix',
      'X-Matrix ',
      'X-Matrixorigin=a,key=ed25519:1,sig=x',
      'Bearer origin=a,key=ed25519:1,sig=x',
      'Bearer abc',
      `Bearer abc, ${EXAMPLE}`,
      `${EXAMPLE}, Bearer abc`,
      `${EXAMPLE} x`,
      `${EXAMPLE};x=1`,
      `${EXAMPLE},x`,
      `${EXAMPLE},x=`,
      `${EXAMPLE},x="`,
      `${EXAMPLE},x="\\"`,
      `${EXAMPLE},=x`,
      `${EXAMPLE},x=a b`,
      `${EXAMPLE},x="a"b`,
      `${EXAMPLE}\nx=1`,
      `${EXAMPLE},x="\0"`,
      `${EXAMPLE},x="\u{1f600}"`,
      EXAMPLE.replaceAll('"', "'"),
      `${EXAMPLE},${' '.repeat(10_000)}x=1`,
    ]) {
      assert.equal(parseXMatrixList(header), undefined, header.slice(0, 200))
    }
  })

  test('may come once for every key that signed', () => {
    const second = EXAMPLE.replace('key1', 'key2').replace('ABCDEF...', 'XYZ')
    const both = [PARSED, { ...PARSED, keyId: 'ed25519:key2', signature: 'XYZ' }]
    assert.deepEqual(parseXMatrixList(EXAMPLE), [PARSED])
    for (const comma of [', ', ',', ' ,\t']) assert.deepEqual(parseXMatrixList(EXAMPLE + comma + second), both)
    assert.deepEqual(parseXMatrixList([EXAMPLE, second].join(', ').replaceAll('"', '')), both)
    assert.equal(parseXMatrix(`${EXAMPLE}, ${second}`), undefined)
    assert.equal(parseXMatrixList(`${EXAMPLE} ${second}`), undefined)
    assert.equal(parseXMatrixList(Array(9).fill(EXAMPLE).join(', ')), undefined)
  })

  test('is of one origin and for one destination', () => {
    for (const other of [
      EXAMPLE.replace('origin.hs', 'other.hs'),
      EXAMPLE.replace('destination.hs', 'other.hs'),
      EXAMPLE.replace('destination="destination.hs.example.com",', ''),
    ]) {
      assert.equal(parseXMatrixList(`${EXAMPLE}, ${other}`), undefined)
      assert.equal(parseXMatrixList(`${other}, ${EXAMPLE}`), undefined)
    }
  })

  test('is read in time linear in its length, whatever it says', () => {
    const hostile = [' ', '\t', ',', '"', '\\', '=', 'a', '"\\', 'a=', 'a=b,', '=,', 'X-Matrix ', 'x=" ', ', ,\t']
    const spentMs = cpuMillisecondsOf(() => {
      for (const piece of hostile) {
        for (const start of ['', 'X-Matrix ', EXAMPLE, `${EXAMPLE},x="`, `${EXAMPLE},x=`]) {
          parseXMatrixList((start + piece.repeat(8_192)).slice(0, 8_192))
        }
      }
    })
    assert.ok(spentMs < 1_000, `${spentMs} ms`)
  })

  test('is built so that it reads as it was', () => {
    assert.equal(buildXMatrix(PARSED as Parameters<typeof buildXMatrix>[0]), EXAMPLE)
    const name = fc.constantFrom('a', 'a.b:8448', '[::1]', '[2001:db8::1]:443', '1.2.3.4')
    const version = fc.stringMatching(/^[A-Za-z0-9_]{1,20}$/)
    fc.assert(
      fc.property(name, name, version, fc.base64String({ minLength: 4 }), (origin, destination, id, signature) => {
        const parts = {
          origin: origin as ServerName,
          destination: destination as ServerName,
          keyId: `ed25519:${id}`,
          signature,
        }
        assert.deepEqual(parseXMatrix(buildXMatrix(parts)), parts)
        if (!signature.includes('"')) assert.deepEqual(parseXMatrix(buildXMatrix(parts).replaceAll('"', '')), parts)
      }),
    )
  })

  test('never makes the parser fail', () => {
    const pieces = fc.constantFrom(
      'X-Matrix ',
      'origin',
      'key',
      'sig',
      '=',
      '"',
      '\\',
      ',',
      ' ',
      'ed25519:1',
      'a',
      '\t',
    )
    fc.assert(fc.property(fc.array(pieces, { maxLength: 40 }), (parts) => void parseXMatrixList(parts.join(''))))
    fc.assert(fc.property(fc.string({ unit: 'binary' }), (text) => void parseXMatrixList(`X-Matrix ${text}`)))
  })
})
