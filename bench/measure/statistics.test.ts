import assert from 'node:assert/strict'
import { test } from 'node:test'
import { percentile, summarise } from './statistics.ts'

test('a percentile is a sample that occurred: nearest rank', () => {
  const sorted = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
  assert.equal(percentile(sorted, 0.5), 5)
  assert.equal(percentile(sorted, 0.95), 10)
  assert.equal(percentile(sorted, 0), 1)
  assert.equal(percentile([7], 0.99), 7)
})

test('p99 of 100 samples leaves out one, p50 of two is the lower', () => {
  const samples = Array.from({ length: 100 }, (_, index) => 100 - index)
  assert.deepEqual(summarise(samples), { p50: 50, p95: 95, p99: 99, max: 100 })
  assert.equal(summarise([2, 1]).p50, 1)
})

test('samples are sorted as numbers', () => {
  assert.equal(summarise([10, 9, 100]).max, 100)
})

test('no sample gives NaN, which tables show as a dash', () => {
  assert.ok(Number.isNaN(summarise([]).p50))
})
