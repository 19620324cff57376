import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { array, assert as check, constantFrom, integer, oneof, property } from 'fast-check'
import { originalText, storedText } from './text.ts'

/** Any code units, with many of those that need care. */
const anyText = array(
  oneof(constantFrom(0, 0xfdd0, 0xd800, 0xdbff, 0xdc00, 0xdfff, 0x30, 0x66, 0x64), integer({ min: 0, max: 0xffff })),
).map((units) => String.fromCharCode(...units))

describe('stored text', () => {
  it('is the text itself unless that cannot be stored', () => {
    for (const text of ['', 'plain', '\u{1F600}', '\uFFFF', 'a\nb\t\u0001']) assert.equal(storedText(text), text)
  })

  it('can be stored by both engines', () => {
    check(
      property(anyText, (text) => {
        const stored = storedText(text)
        assert.ok(stored.isWellFormed() && !stored.includes('\0'))
      }),
    )
  })

  it('gives the original back', () => {
    check(property(anyText, (text) => originalText(storedText(text)) === text))
  })

  it('is different for different texts', () => {
    check(property(anyText, anyText, (a, b) => (a === b) === (storedText(a) === storedText(b))))
  })
})
