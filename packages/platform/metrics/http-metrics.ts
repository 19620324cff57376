/** Requests by operation: how many, how long. */
import type { Outcome } from '../http/server-context.ts'
import type { Metrics } from './metrics.ts'

const BUCKETS_SECONDS = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]

/** Hand the result to the server as `onFinished`. */
export function httpMetrics(metrics: Metrics): (outcome: Outcome) => void {
  const seconds = metrics.histogram({
    name: 'holdfast_http_request_seconds',
    help: 'Time from the request head to the end of the response, by operation and status.',
    labels: ['operation', 'status'],
    buckets: BUCKETS_SECONDS,
  })
  return ({ status, ms, meta }) =>
    seconds.observe(ms / 1000, { operation: meta.operation ?? 'other', status: String(status) })
}
