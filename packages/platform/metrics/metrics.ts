/** What the rest of the house counts with. Label values come from small fixed sets: never an id, a path or a name. */

export type Labels = Readonly<Record<string, string>>

export type Counter = { add(labels?: Labels, count?: number): void }
export type Gauge = { set(value: number, labels?: Labels): void }
export type Histogram = { observe(value: number, labels?: Labels): void }

export type MetricName = {
  /** With the unit last: `holdfast_commit_seconds`, `holdfast_events_total`. */
  readonly name: string
  readonly help: string
  readonly labels?: readonly string[]
}

export type Metrics = {
  counter(metric: MetricName): Counter
  gauge(metric: MetricName): Gauge
  /** A gauge that is asked at each scrape. */
  observedGauge(metric: MetricName, read: () => number): void
  histogram(metric: MetricName & { readonly buckets: readonly number[] }): Histogram
  /** Everything, in the text format of Prometheus. */
  exposition(): Promise<{ readonly contentType: string; readonly body: string }>
}
