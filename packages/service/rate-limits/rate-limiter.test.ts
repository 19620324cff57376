import assert from 'node:assert/strict'
import test from 'node:test'
import { createManualClock } from '@holdfast/platform/clock/manual-clock'
import { MatrixError } from '@holdfast/protocol/errors'
import { assert as holds, asyncProperty, double, integer, record } from 'fast-check'
import { limits } from '../testing/rate-limits.ts'
import { addressKey } from './address-key.ts'
import { openRateLimiter, type RateLimiter } from './rate-limiter.ts'

/** How long to wait; 0: it was let through. */
function refusedMs(call: () => void): number {
  try {
    call()
    return 0
  } catch (error) {
    assert.ok(error instanceof MatrixError)
    assert.equal(error.errcode, 'M_LIMIT_EXCEEDED')
    return error.extra['retry_after_ms'] as number
  }
}

function limiter(rate: { perSecond: number; burst: number }) {
  const clock = createManualClock()
  return { clock, limiter: openRateLimiter({ clock, limits: limits({ message: rate, join: rate }) }) }
}

const take = (one: RateLimiter, key: string): number => refusedMs(() => one.take({ limit: 'message', key }))

test('a burst passes, then one at a time', async () => {
  const { clock, limiter: one } = limiter({ perSecond: 2, burst: 3 })
  assert.deepEqual([take(one, 'a'), take(one, 'a'), take(one, 'a'), take(one, 'a')], [0, 0, 0, 500])
  assert.equal(take(one, 'b'), 0)
  await clock.advance(500)
  assert.deepEqual([take(one, 'a'), take(one, 'a')], [0, 500])
})

test('the time that is told is exact: a millisecond earlier is refused, then it passes', async () => {
  const rates = record({
    perSecond: double({ min: 0.001, max: 1000, noNaN: true }),
    burst: integer({ min: 1, max: 20 }),
  })
  await holds(
    asyncProperty(rates, integer({ min: 0, max: 5_000 }), async (rate, passedMs) => {
      const { clock, limiter: one } = limiter(rate)
      for (let count = 0; count < rate.burst; count += 1) assert.equal(take(one, 'a'), 0)
      await clock.advance(passedMs)
      const waitMs = take(one, 'a')
      if (waitMs === 0) return
      await clock.advance(waitMs - 1)
      assert.ok(take(one, 'a') > 0)
      await clock.advance(1)
      assert.equal(take(one, 'a'), 0)
    }),
    { numRuns: 50 },
  )
})

test('[LIM1] what is refused takes from no bucket', async () => {
  const { clock, limiter: one } = limiter({ perSecond: 1, burst: 1 })
  const both = () => refusedMs(() => one.take({ limit: 'message', key: 'a' }, { limit: 'join', key: 'a' }))
  assert.equal(take(one, 'a'), 0)
  assert.equal(both(), 1000)
  assert.equal(
    refusedMs(() => one.take({ limit: 'join', key: 'a' })),
    0,
  )
  await clock.advance(1000)
  assert.equal(both(), 0)
})

test('[LIM2] failures are looked at before, and counted after', () => {
  const { limiter: one } = limiter({ perSecond: 1, burst: 1 })
  const bucket = { limit: 'message', key: 'a' } as const
  assert.equal(
    refusedMs(() => one.check(bucket)),
    0,
  )
  assert.equal(
    refusedMs(() => one.check(bucket)),
    0,
  )
  one.count(bucket)
  one.count(bucket)
  assert.equal(
    refusedMs(() => one.check(bucket)),
    1000,
  )
})

test('without limits nothing is limited', () => {
  const one = openRateLimiter({ clock: createManualClock(), limits: undefined })
  for (let count = 0; count < 10_000; count += 1) one.take({ limit: 'message', key: 'a' })
})

test('[LIM3] an address of IPv6 counts by its /64, one of IPv4 as it is', () => {
  const keys: readonly (readonly [string, string])[] = [
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['2001:db8:0:1:2:3:4:5', '2001:db8:0:1::/64'],
    ['2001:DB8::1', '2001:db8:0:0::/64'],
    ['2001:0db8::', '2001:db8:0:0::/64'],
    ['::1', '0:0:0:0::/64'],
    ['fe80::1%eth0', 'fe80:0:0:0::/64'],
    ['1::8', '1:0:0:0::/64'],
    ['unknown', 'unknown'],
  ]
  for (const [address, key] of keys) assert.equal(addressKey(address), key)
})
