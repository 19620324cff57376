import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { fitsUtf8, utf8Length } from './utf8.ts'

describe('UTF-8 length', () => {
  it('is what the encoder writes, for any text and for broken text', () => {
    const text = fc.oneof(
      fc.string({ unit: 'binary' }),
      fc.string(),
      fc.array(fc.nat(0xffff)).map((units) => String.fromCharCode(...units)),
    )
    fc.assert(fc.property(text, (value) => assert.equal(utf8Length(value), Buffer.byteLength(value))))
  })

  it('fits exactly up to the limit', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), fc.nat(40), (value, max) =>
        assert.equal(fitsUtf8(value, max), Buffer.byteLength(value) <= max),
      ),
    )
  })
})
