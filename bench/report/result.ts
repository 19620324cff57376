/** The result of one run: what is written as JSON and shown as Markdown. */

import type { Fact } from '../bench.ts'
import type { Row } from '../measure/meter.ts'
import { type Column, figure, markdownTable, percent } from './table.ts'

export type Failure = { readonly workload: string; readonly message: string }
export type Result = {
  readonly label: string
  readonly server: string
  readonly durability: string
  readonly date: string
  readonly machine: string
  /** What else a reader must know, such as the cores that server and generator had. */
  readonly note?: string | undefined
  readonly scale: string
  readonly rows: readonly Row[]
  readonly facts: readonly Fact[]
  readonly failures: readonly Failure[]
}

/** A generator that uses most of its core would measure itself. */
const GENERATOR_SHARE_MAX = 0.8

const COLUMNS: readonly Column<Row>[] = [
  { title: 'workload', cell: (row) => row.workload },
  { title: 'variant', cell: (row) => row.variant },
  { title: 'ops', align: 'right', cell: (row) => row.operations.toLocaleString('en-US') },
  { title: 'per s', align: 'right', cell: (row) => figure(row.perSecond) },
  { title: 'p50 ms', align: 'right', cell: (row) => figure(row.latencyMs.p50) },
  { title: 'p95 ms', align: 'right', cell: (row) => figure(row.latencyMs.p95) },
  { title: 'p99 ms', align: 'right', cell: (row) => figure(row.latencyMs.p99) },
  { title: 'max ms', align: 'right', cell: (row) => figure(row.latencyMs.max) },
  { title: 'CPU us/op', align: 'right', cell: (row) => figure(row.cpuMicrosPerOperation) },
  { title: 'loop p99 ms', align: 'right', cell: (row) => figure(row.loopDelayP99Ms) },
  { title: 'DB bytes/op', align: 'right', cell: (row) => figure(row.databaseBytesPerOperation) },
  { title: 'PSS MiB', align: 'right', cell: (row) => figure(row.memory?.pssMiB) },
  { title: 'generator', align: 'right', cell: (row) => percent(row.generatorCpuShare) },
]

export function renderResult(result: Result): string {
  const facts = result.facts.map((fact) => `- ${fact.name}: ${figure(fact.value)} ${fact.unit}`)
  return [
    `## ${result.label}`,
    `${result.server}; durability: ${result.durability}; ${result.scale} scale; ${result.date}; ${result.machine}${result.note === undefined ? '' : `; ${result.note}`}`,
    markdownTable(COLUMNS, result.rows),
    ...(facts.length === 0 ? [] : [facts.join('\n')]),
    ...warnings(result),
  ].join('\n\n')
}

function warnings(result: Result): string[] {
  const busy = result.rows.filter((row) => row.generatorCpuShare > GENERATOR_SHARE_MAX)
  const names = busy.map((row) => `${row.workload}, ${row.variant}`).join('; ')
  return [
    ...(busy.length === 0 ? [] : [`The generator used over ${percent(GENERATOR_SHARE_MAX)} of a core in: ${names}.`]),
    ...result.failures.map((failure) => `**Failed: ${failure.workload}: ${failure.message}**`),
  ]
}
