import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseHttpDate, parseRetryAfterMs } from './http-date.ts'

test('a date of a header is read in its one form', () => {
  assert.equal(parseHttpDate('Sun, 06 Nov 1994 08:49:37 GMT'), 784_111_777_000)
  for (const wrong of ['', '0', '-1', 'Sunday, 06-Nov-94 08:49:37 GMT', '1994-11-06', 'Sun, 99 Nov 1994 08:49:37 GMT'])
    assert.equal(parseHttpDate(wrong), undefined, wrong)
})

test('Retry-After is seconds or a date, and never in the past', () => {
  assert.equal(parseRetryAfterMs('120', 0), 120_000)
  assert.equal(parseRetryAfterMs('Sun, 06 Nov 1994 08:49:37 GMT', 784_111_776_000), 1000)
  assert.equal(parseRetryAfterMs('Sun, 06 Nov 1994 08:49:37 GMT', 784_111_779_000), 0)
  for (const wrong of ['', '-1', '1.5', '1e9', '9999999999', 'soon'])
    assert.equal(parseRetryAfterMs(wrong, 0), undefined)
})
