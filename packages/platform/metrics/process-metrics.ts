/** What the process uses, and how long its event loop keeps others waiting. */
import { monitorEventLoopDelay } from 'node:perf_hooks'
import type { Metrics } from './metrics.ts'

const SAMPLE_EVERY_MS = 5
const NANOSECONDS = 1e9

export function addProcessMetrics(metrics: Metrics): Disposable {
  const startedSeconds = Date.now() / 1000 - process.uptime()
  const gauges: readonly (readonly [string, string, () => number])[] = [
    ['process_start_time_seconds', 'Start of the process since the epoch.', () => startedSeconds],
    ['process_cpu_user_seconds_total', 'CPU time in user code.', () => process.cpuUsage().user / 1e6],
    ['process_cpu_system_seconds_total', 'CPU time in the kernel.', () => process.cpuUsage().system / 1e6],
    ['process_resident_memory_bytes', 'Memory that the process holds.', () => process.memoryUsage.rss()],
    ['nodejs_heap_size_used_bytes', 'Heap in use.', () => process.memoryUsage().heapUsed],
    [
      'nodejs_external_memory_bytes',
      'Buffers and other memory outside the heap.',
      () => process.memoryUsage().external,
    ],
  ]
  for (const [name, help, read] of gauges) metrics.observedGauge({ name, help }, read)
  return addEventLoopDelay(metrics)
}

/**
 * How late a timer of 5 ms fires, since the previous scrape. Node's figures contain the 5 ms themselves, so they are
 * taken off.
 */
function addEventLoopDelay(metrics: Metrics): Disposable {
  const delays = monitorEventLoopDelay({ resolution: SAMPLE_EVERY_MS })
  delays.enable()
  const lateSeconds = (nanoseconds: number) => Math.max(0, nanoseconds / NANOSECONDS - SAMPLE_EVERY_MS / 1000)
  const gauge = (suffix: string, what: string, read: () => number) =>
    metrics.observedGauge(
      {
        name: `holdfast_event_loop_delay_${suffix}_seconds`,
        help: `Delay of the event loop since the last scrape: ${what}.`,
      },
      () => lateSeconds(read()),
    )
  gauge('p50', 'median', () => delays.percentile(50))
  gauge('p99', '99th percentile', () => delays.percentile(99))
  // Metrics are read in the order in which they were made: the last one starts the next period.
  gauge('max', 'maximum', () => {
    const max = delays.max
    delays.reset()
    return max
  })
  return delays
}
