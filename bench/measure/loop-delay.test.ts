import assert from 'node:assert/strict'
import { test } from 'node:test'
import { loopDelayP99Ms } from './loop-delay.ts'

test('the p99 gauge of prom-client is found, with and without labels', () => {
  const text =
    '# HELP nodejs_eventloop_lag_p99_seconds x\nnodejs_eventloop_lag_p50_seconds 0.001\nnodejs_eventloop_lag_p99_seconds 0.0125\n'
  assert.equal(loopDelayP99Ms(text), 12.5)
  assert.equal(loopDelayP99Ms('x_event_loop_delay_p99_seconds{node="1"} 0.002\n'), 2)
})

test('a summary with a quantile is found', () => {
  assert.equal(
    loopDelayP99Ms('event_loop_delay_seconds{quantile="0.5"} 1\nevent_loop_delay_seconds{quantile="0.99"} 0.004\n'),
    4,
  )
})

test('servers without the metric have none', () => {
  assert.equal(loopDelayP99Ms('process_cpu_seconds_total 5\n'), undefined)
  assert.equal(loopDelayP99Ms('nodejs_eventloop_lag_p99_seconds NaN\n'), undefined)
})
