import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Result } from '../report/result.ts'
import { renderReport } from './report.ts'

function aResult(label: string, parts: Partial<Result> = {}): Result {
  const row = {
    workload: 'send',
    variant: '1 in flight',
    inFlight: 1,
    operations: 10,
    seconds: 1,
    perSecond: 10,
    latencyMs: { p50: 1, p95: 2, p99: 3, max: 4 },
    generatorCpuShare: 0.1,
  }
  const run = { server: 'S 1', durability: 'fsynced', date: '2026-01-01 00:00', machine: 'M', scale: 'quick' }
  return {
    label,
    ...run,
    rows: [row],
    facts: [{ name: 'idle memory', value: 50, unit: 'MiB' }],
    failures: [],
    ...parts,
  }
}

test('servers stand side by side, a dash where one has no figure', () => {
  const page = renderReport([aResult('A'), aResult('B', { rows: [], facts: [] })])
  assert.match(page, /\| workload +\| +A \| +B \|/)
  assert.match(page, /\| send, 1 in flight +\| +10\.0 \| +– \|/)
  assert.match(page, /\| idle memory, MiB +\| +50\.0 \| +– \|/)
})

test('columns that no server has are left out, and failures are told', () => {
  const page = renderReport([aResult('A', { failures: [{ workload: 'send', message: '1 lost' }] })])
  assert.doesNotMatch(page, /\| +send.*\n.*undefined/)
  assert.match(page, /1 failed/)
  assert.match(page, /\*\*Failed: send: 1 lost\*\*/)
})

test('Holdfast is held against servers measured at the same scale, by rate or by median latency', () => {
  const faster = aResult('Holdfast')
  const paced = { ...faster.rows[0]!, variant: 'paced', latencyMs: { p50: 0.5, p95: 1, p99: 1, max: 1 } }
  const { perSecond: _, ...unrated } = paced
  const other = { ...unrated, latencyMs: { p50: 2, p95: 2, p99: 2, max: 2 } }
  const rated = { ...faster.rows[0]!, perSecond: 2.5 }
  const quick = aResult('B', { rows: [rated, other] })
  const page = renderReport([{ ...faster, rows: [...faster.rows, unrated] }, quick, aResult('C', { scale: 'full' })])
  assert.match(page, /\| workload +\| +to B \|/)
  assert.match(page, /\| send, 1 in flight \| 4\.00 x \|/)
  assert.match(page, /\| send, paced +\| 4\.00 x \|/)
})
