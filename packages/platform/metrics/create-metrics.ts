/** Metrics on prom-client, in a registry of its own so that several servers can live in one process. */
import { Counter, Gauge, Histogram, Registry } from 'prom-client'
import type { MetricName, Metrics } from './metrics.ts'

export function createMetrics(): Metrics {
  const registry = new Registry()
  const named = ({ name, help, labels }: MetricName) => ({
    name,
    help,
    labelNames: [...(labels ?? [])],
    registers: [registry],
  })
  return {
    counter: (metric) => {
      const counter = new Counter(named(metric))
      return { add: (labels = {}, count = 1) => counter.inc(labels, count) }
    },
    gauge: (metric) => {
      const gauge = new Gauge(named(metric))
      return { set: (value, labels = {}) => gauge.set(labels, value) }
    },
    observedGauge: (metric, read) => {
      const gauge: Gauge = new Gauge({ ...named(metric), collect: () => gauge.set(read()) })
    },
    histogram: (metric) => {
      const histogram = new Histogram({ ...named(metric), buckets: [...metric.buckets] })
      return { observe: (value, labels = {}) => histogram.observe(labels, value) }
    },
    exposition: async () => ({ contentType: registry.contentType, body: await registry.metrics() }),
  }
}
