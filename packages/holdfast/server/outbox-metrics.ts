/** What waits for other servers, as metrics. Who it is, and why, is for `holdfast explain server`. */
import type { Outbox } from '@holdfast/homeserver/federation/outbox/outbox'
import type { OutboxTotals } from '@holdfast/homeserver/federation/outbox/report'
import type { Metrics } from '@holdfast/platform/metrics/metrics'

const GAUGES: readonly (readonly [name: string, help: string, read: (totals: OutboxTotals) => number])[] = [
  ['servers', 'Servers for which something waits.', ({ servers }) => servers],
  ['pausing', 'Servers that failed and are tried again later.', ({ pausing }) => pausing],
  ['behind', 'Servers that have not heard of what others have.', ({ behind }) => behind],
  ['in_flight', 'Transactions that are being sent.', ({ inFlight }) => inFlight],
  ['queued_events', 'Events in memory for other servers, once for each server.', ({ queuedEvents }) => queuedEvents],
  [
    'oldest_seconds',
    'How long a server has waited for events without being told any.',
    ({ oldestMs }) => oldestMs / 1000,
  ],
]

export function addOutboxMetrics(metrics: Metrics, outbox: Pick<Outbox, 'totals'>): void {
  for (const [name, help, read] of GAUGES) {
    metrics.observedGauge({ name: `holdfast_outbox_${name}`, help }, () => {
      const totals = outbox.totals()
      return totals === undefined ? 0 : read(totals)
    })
  }
}
