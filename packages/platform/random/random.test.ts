import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCryptoRandom } from './crypto-random.ts'
import { randomFromBytes } from './random-from-bytes.ts'
import { createSeededRandom } from './seeded-random.ts'

test('the same seed gives the same sequence, another seed another', () => {
  const draw = (seed: number | string) => {
    const random = createSeededRandom(seed)
    return [random.text(20), random.integer(1_000_000), Buffer.from(random.bytes(40)).toString('hex')]
  }
  assert.deepEqual(draw(7), draw(7))
  assert.notDeepEqual(draw(7), draw(8))
})

test('every letter of an alphabet comes up equally often', () => {
  const counts = new Map<string, number>()
  for (const letter of createSeededRandom(1).text(62_000)) counts.set(letter, (counts.get(letter) ?? 0) + 1)
  assert.equal(counts.size, 62)
  for (const [letter, count] of counts) assert.ok(count > 850 && count < 1150, `${letter} ${count}`)
})

test('bytes that would favour the first letters are drawn again', () => {
  const bytes = [255, 254, 253, 0, 1]
  const random = randomFromBytes((length) => Uint8Array.from({ length }, () => bytes.shift() ?? 2))
  assert.equal(random.text(2, 'abc'), 'cb')
})

test('integers stay in their range, and a range of one has one answer', () => {
  const random = createCryptoRandom()
  assert.equal(random.integer(1), 0)
  for (let i = 0; i < 1000; i += 1) assert.ok(random.integer(3) < 3)
  assert.throws(() => random.integer(0))
  assert.throws(() => random.integer(1.5))
})

test('100,000 tokens of 43 characters do not collide', () => {
  const random = createCryptoRandom()
  const tokens = new Set(Array.from({ length: 100_000 }, () => random.text(43)))
  assert.equal(tokens.size, 100_000)
  for (const token of tokens) assert.match(token, /^[A-Za-z0-9]{43}$/)
})
