import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createMetrics } from './create-metrics.ts'
import { httpMetrics } from './http-metrics.ts'
import { addProcessMetrics } from './process-metrics.ts'

test('counters, gauges and histograms are exposed with their labels', async () => {
  const metrics = createMetrics()
  metrics.counter({ name: 'events_total', help: 'h', labels: ['kind'] }).add({ kind: 'state' }, 3)
  metrics.gauge({ name: 'rooms', help: 'h' }).set(7)
  metrics.observedGauge({ name: 'open', help: 'h' }, () => 9)
  metrics.histogram({ name: 'commit_seconds', help: 'h', buckets: [1, 2] }).observe(1.5)
  const { body, contentType } = await metrics.exposition()
  assert.match(contentType, /^text\/plain/)
  for (const line of ['events_total{kind="state"} 3', 'rooms 7', 'open 9', 'commit_seconds_bucket{le="2"} 1']) {
    assert.ok(body.includes(line), line)
  }
})

test('requests are counted by operation and status, never by path', async () => {
  const metrics = createMetrics()
  const finished = httpMetrics(metrics)
  finished({ status: 200, ms: 3, meta: { operation: 'sendMessage' } })
  finished({ status: 404, ms: 1, meta: {} })
  const { body } = await metrics.exposition()
  assert.ok(body.includes('holdfast_http_request_seconds_count{operation="sendMessage",status="200"} 1'))
  assert.ok(body.includes('holdfast_http_request_seconds_count{operation="other",status="404"} 1'))
})

test('a hostile label value cannot break out of its line', async () => {
  const metrics = createMetrics()
  metrics.counter({ name: 'c_total', help: 'h', labels: ['l'] }).add({ l: 'a"} 1\nfake 2' })
  const { body } = await metrics.exposition()
  assert.equal(/^fake/m.test(body), false)
})

test('the delay of the event loop is near zero when idle and shows a block', async () => {
  const metrics = createMetrics()
  using sampling = addProcessMetrics(metrics)
  assert.ok(sampling)
  const read = async () => {
    const { body } = await metrics.exposition()
    return Number(/^holdfast_event_loop_delay_max_seconds (\S+)$/m.exec(body)![1])
  }
  await new Promise((resolve) => void setTimeout(resolve, 50))
  const until = performance.now() + 80
  while (performance.now() < until);
  await new Promise((resolve) => void setTimeout(resolve, 20))
  assert.ok((await read()) > 0.05)
  assert.ok((await metrics.exposition()).body.includes('process_resident_memory_bytes'))
})
