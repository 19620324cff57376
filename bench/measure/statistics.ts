/** Percentiles and medians of samples. */

export type Summary = { readonly p50: number; readonly p95: number; readonly p99: number; readonly max: number }

/** Nearest rank: the smallest sample that at least this share of all samples does not exceed. */
export function percentile(sorted: readonly number[], share: number): number {
  if (sorted.length === 0) return Number.NaN
  const rank = Math.max(1, Math.ceil(share * sorted.length))
  return sorted[Math.min(rank, sorted.length) - 1]!
}

export function summarise(samples: readonly number[]): Summary {
  const sorted = Float64Array.from(samples).sort()
  const at = (share: number) => percentile(sorted as unknown as readonly number[], share)
  return { p50: at(0.5), p95: at(0.95), p99: at(0.99), max: at(1) }
}
