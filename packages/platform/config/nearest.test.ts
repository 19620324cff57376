import assert from 'node:assert/strict'
import { test } from 'node:test'
import { editDistance, nearestWord } from './nearest.ts'

test('insertions, deletions, replacements and swaps cost one each', () => {
  assert.equal(editDistance('listen', 'listen'), 0)
  assert.equal(editDistance('listn', 'listen'), 1)
  assert.equal(editDistance('listeen', 'listen'), 1)
  assert.equal(editDistance('lisden', 'listen'), 1)
  assert.equal(editDistance('lsiten', 'listen'), 1)
  assert.equal(editDistance('', 'abc'), 3)
})

test('a word far from all others has no nearest one', () => {
  assert.equal(nearestWord('regstration', ['listen', 'registration']), 'registration')
  assert.equal(nearestWord('frobnicate', ['listen', 'registration']), undefined)
})
