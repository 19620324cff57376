import assert from 'node:assert/strict'
import test from 'node:test'
import { parseStreamToken, streamToken } from './sync-token.ts'

test('every position makes a token that is taken back, also what is before all others', () => {
  for (const position of [0, 7, -7, Number.MIN_SAFE_INTEGER, Number.MAX_SAFE_INTEGER])
    assert.equal(parseStreamToken(streamToken(position), 'from'), position)
  assert.equal(parseStreamToken(streamToken(Number.MIN_SAFE_INTEGER - 1), 'from'), Number.MIN_SAFE_INTEGER)
})
