import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import * as limits from './limits.ts'

describe('limits', () => {
  it('say their unit and that they are a bound, a duration or a default', () => {
    const unit = /(?:Bytes|Characters|CodePoints|Events|Pdus|Edus|Ms|Pixels|Tries|Users|Rooms|Keys|Rules)/
    const bound = /(?:Max|Min|Default|Ms|Kept|Used)/
    for (const table of [
      limits.SPEC_LIMITS,
      limits.INPUT_LIMITS,
      limits.OUTPUT_LIMITS,
      limits.RESPONSE_LIMITS,
      limits.TIME_LIMITS,
      limits.WORK_LIMITS,
    ]) {
      for (const [name, value] of Object.entries(table)) {
        assert.ok(Number.isSafeInteger(value) && value > 0, name)
        assert.ok(unit.test(name) || name.endsWith('Max'), name)
        assert.match(name, bound, name)
      }
    }
  })

  it('of rates let at least one through, and refill', () => {
    for (const [name, { perSecond, burst }] of Object.entries(limits.RATE_LIMITS))
      assert.ok(perSecond > 0 && burst >= 1, name)
  })

  it('of time are all within what a timer can wait, but for those that are kept', () => {
    for (const [name, value] of Object.entries(limits.TIME_LIMITS)) assert.ok(value < 2 ** 31, name)
  })
})
