/** Event-loop delay p99, read from a server's Prometheus metrics where it publishes one. */

import type { HttpClient } from '../http/client.ts'

/** Histograms behind these gauges start anew with each scrape in prom-client, so a scrape opens and closes a span. */
export async function scrapeLoopDelayP99Ms(client: HttpClient): Promise<number | undefined> {
  const response = await client.request({ method: 'GET', target: '/metrics' })
  return response.status === 200 ? loopDelayP99Ms(response.body.toString('utf8')) : undefined
}

const NAMES = [
  /^\w*event_?loop_(?:delay|lag)_p99_seconds(?:\{[^}]*\})? (\S+)/m,
  /^\w*event_?loop_(?:delay|lag)_seconds\{[^}]*quantile="0\.99"[^}]*\} (\S+)/m,
]

export function loopDelayP99Ms(metrics: string): number | undefined {
  for (const name of NAMES) {
    const seconds = Number(name.exec(metrics)?.[1] ?? Number.NaN)
    if (Number.isFinite(seconds)) return seconds * 1000
  }
  return undefined
}
