/** Tells on standard error what is going on, at most once a second. */

import type { Row } from '../measure/meter.ts'

export type Progress = {
  say(text: string): void
  row(row: Row): void
  counter(title: string, total?: number): { add(): void }
}

const INTERVAL_MS = 1_000

export function createProgress(write: (line: string) => void): Progress {
  return {
    say: write,
    row: (row) => write(describeRow(row)),
    counter(title, total) {
      let count = 0
      let nextMs = performance.now() + INTERVAL_MS
      return {
        add() {
          count += 1
          const nowMs = performance.now()
          if (nowMs < nextMs) return
          nextMs = nowMs + INTERVAL_MS
          write(`  ${title}: ${count}${total === undefined ? '' : ` of ${total}`}`)
        },
      }
    },
  }
}

function describeRow(row: Row): string {
  const cpu = row.cpuMicrosPerOperation === undefined ? '' : `, ${row.cpuMicrosPerOperation.toFixed(0)} us CPU each`
  const { p50, p99 } = row.latencyMs
  const latency = `p50 ${p50.toFixed(2)} ms, p99 ${p99.toFixed(2)} ms`
  const rate = row.perSecond === undefined ? '' : ` at ${row.perSecond.toFixed(1)}/s`
  return `${row.workload}, ${row.variant}: ${row.operations}${rate}, ${latency}${cpu}`
}
