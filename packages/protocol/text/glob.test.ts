import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as fc from 'fast-check'
import { cpuMillisecondsOf } from '../testing/cpu-time.ts'
import { compileGlob, foldAsciiCase, isLiteralGlob } from './glob.ts'

/** The plain definition, by backtracking over code points. */
function matchesSlowly(pattern: readonly string[], text: readonly string[]): boolean {
  const [first, ...rest] = pattern
  if (first === undefined) return text.length === 0
  if (first === '*') return matchesSlowly(rest, text) || (text.length > 0 && matchesSlowly(pattern, text.slice(1)))
  return text.length > 0 && (first === '?' || first === text[0]) && matchesSlowly(rest, text.slice(1))
}

const isWord = (character: string | undefined): boolean => character !== undefined && /^\w$/.test(character)

function matchesWordsSlowly(pattern: string, text: string): boolean {
  // An empty pattern is no word, so it is in no text.
  if (pattern === '') return text === ''
  const characters = Array.from(text)
  for (let start = 0; start <= characters.length; start += 1) {
    if (isWord(characters[start - 1])) continue
    for (let end = start; end <= characters.length; end += 1) {
      if (!isWord(characters[end]) && matchesSlowly(Array.from(pattern), characters.slice(start, end))) return true
    }
  }
  return false
}

const PATTERN = fc.array(fc.constantFrom('a', 'b', '*', '?', '😀', ' '), { maxLength: 8 }).map((all) => all.join(''))
const TEXT = fc.array(fc.constantFrom('a', 'b', '😀', '🎉', ' '), { maxLength: 12 }).map((all) => all.join(''))

describe('glob', () => {
  it('follows its definition', () => {
    fc.assert(
      fc.property(PATTERN, TEXT, (pattern, text) =>
        assert.equal(compileGlob(pattern).matches(text), matchesSlowly(Array.from(pattern), Array.from(text))),
      ),
      { numRuns: 3000 },
    )
  })

  it('finds whole words as its definition says', () => {
    fc.assert(
      fc.property(PATTERN, TEXT, (pattern, text) =>
        assert.equal(compileGlob(pattern).matchesWords(text), matchesWordsSlowly(pattern, text)),
      ),
      { numRuns: 3000 },
    )
  })

  it('takes ? for one character, also of two code units', () => {
    assert.ok(compileGlob('a?b').matches('a😀b'))
    assert.ok(!compileGlob('a?b').matches('ab'))
    assert.ok(!compileGlob('?').matches('😀😀'))
    assert.ok(compileGlob('😀?').matches('😀🎉'))
    assert.ok(!compileGlob('😀?').matches('🎉😀'))
  })

  it('finds long pieces with wildcards, across machine words', () => {
    for (const length of [30, 31, 32, 61, 62, 63, 64, 93, 200]) {
      const piece = Array.from({ length }, (_, index) => (index % 7 === 3 ? '?' : 'abc'[index % 3])).join('')
      const text = piece.replaceAll('?', 'x')
      const glob = compileGlob(`*${piece}*`)
      assert.ok(glob.matches(`aaa${text}bbb`) && glob.matches(text), String(length))
      assert.ok(!glob.matches(`aaa${text.slice(0, -1)}`) && !glob.matches(`z${text.slice(1)}`), String(length))
    }
  })

  it('has no ? where only * is special', () => {
    assert.ok(!compileGlob('m.?', { questionMark: false }).matches('m.x'))
    assert.ok(compileGlob('m.?*', { questionMark: false }).matches('m.?x'))
  })

  it('takes nothing else as special', () => {
    for (const text of ['a.c', '[a]', 'a+', '(a|b)', 'a\\', '^a$', '{1}']) {
      assert.ok(compileGlob(text).matches(text), text)
      assert.ok(compileGlob(`*${text}*`).matches(`x${text}x`), text)
    }
    assert.ok(!compileGlob('a.c').matches('abc'))
  })

  it('folds the case of ASCII letters only', () => {
    const glob = compileGlob('*.EVIL.example', { ignoreAsciiCase: true })
    assert.ok(glob.matches('Sub.evil.EXAMPLE'))
    assert.ok(!compileGlob('k', { ignoreAsciiCase: true }).matches('\u212A'))
    assert.ok(!compileGlob('ä', { ignoreAsciiCase: true }).matches('Ä'))
    assert.ok(!compileGlob('a').matches('A'))
    assert.equal(foldAsciiCase('AbÄ\u212A'), 'abÄ\u212A')
  })

  it('finds a word in a sentence', () => {
    const glob = compileGlob('ann*', { ignoreAsciiCase: true })
    assert.ok(glob.matchesWords('Hello Anne, how are you?'))
    assert.ok(!compileGlob('ann').matchesWords('Joanna planned it'))
    assert.ok(compileGlob('ann').matchesWords('(ann)'))
    assert.ok(compileGlob('big ?at').matchesWords('a big cat.'))
    assert.ok(!compileGlob('ann').matchesWords('ann_1'))
  })

  it('knows literal patterns', () => {
    assert.ok(isLiteralGlob('m.room.message') && !isLiteralGlob('m.*') && !isLiteralGlob('m.?'))
  })

  it('is fast on hostile patterns', () => {
    const body = 'a'.repeat(65_536)
    const rule = 1_024
    const hostile = [
      `${'a*'.repeat(rule / 2)}b`,
      `*${'a?'.repeat(rule / 2 - 1)}b*`,
      '?'.repeat(65_536),
      `*${'?'.repeat(65_000)}b*`,
      '*?'.repeat(rule / 2),
      `*${'a'.repeat(rule - 3)}b*`,
      'a*'.repeat(500_000),
      `*b${'a'.repeat(rule - 3)}*`,
    ]
    for (const pattern of hostile) {
      const glob = compileGlob(pattern)
      glob.matches('aaab')
      const spent = [1, 2, 3].map(() => cpuMillisecondsOf(() => glob.matches(body) || glob.matchesWords(body)))
      assert.ok(Math.min(...spent) < 100, `${pattern.slice(0, 12)} took ${String(spent)} ms`)
    }
  })
})
