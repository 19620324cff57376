import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import * as fc from 'fast-check'
import { compileGlob } from '../text/glob.ts'
import { compileGlobSet } from './glob-set.ts'

describe('a set of globs', () => {
  test('matches what one of its patterns matches', () => {
    const pattern = fc.string({ unit: fc.constantFrom('a', 'b', '*', '?', 'é', '\u{1f600}'), maxLength: 12 })
    const name = fc.string({ unit: fc.constantFrom('a', 'b', 'c', '*'), maxLength: 12 })
    fc.assert(
      fc.property(fc.array(pattern, { maxLength: 12 }), name, (patterns, text) => {
        const expected = patterns.some((glob) => compileGlob(glob).matches(text))
        assert.equal(compileGlobSet(patterns, 255).matches(text), expected)
      }),
      { numRuns: 2_000 },
    )
  })

  test('keeps its patterns apart, wherever they fall into words', () => {
    for (let length = 1; length < 70; length += 1) {
      const set = compileGlobSet(['a'.repeat(length), 'b', '', 'cd*'], 255)
      for (const text of ['a'.repeat(length), 'b', '', 'cd', 'cdx']) assert.equal(set.matches(text), true, text)
      for (const text of [`${'a'.repeat(length)}b`, `${'a'.repeat(length - 1)}b`.slice(1), 'bcd', 'c', 'd', 'bb']) {
        assert.equal(set.matches(text), text === 'b' || text === '', `${length} ${text}`)
      }
    }
  })

  test('that is empty matches nothing', () => {
    assert.equal(compileGlobSet([], 255).matches(''), false)
    assert.equal(compileGlobSet([], 255).matches('a'), false)
  })

  test('leaves out patterns that are longer than any name, not those with many stars', () => {
    assert.equal(compileGlobSet(['aaaa'], 3).matches('aaaa'), false)
    assert.equal(compileGlobSet([`a${'*'.repeat(1_000)}b`], 3).matches('axb'), true)
  })
})
