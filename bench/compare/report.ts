/** Renders docs/benchmarks.md from the results of all servers. */

import { renderResult, type Result } from '../report/result.ts'
import { type Column, figure, markdownTable } from '../report/table.ts'
import type { Row } from '../measure/meter.ts'
import { HOW } from './how.ts'

type Line = { readonly workload: string; readonly variant: string; readonly cells: readonly (Row | undefined)[] }

export function renderReport(results: readonly Result[]): string {
  const lines = linesOf(results)
  const sections = [
    HOW,
    '## Side by side',
    serversTable(results),
    ratios(results, lines),
    compare('Operations per second', results, lines, (row) => row.perSecond),
    compare('Latency p50, ms', results, lines, (row) => row.latencyMs.p50),
    compare('Latency p99, ms', results, lines, (row) => row.latencyMs.p99),
    compare('CPU of the server per operation, us', results, lines, (row) => row.cpuMicrosPerOperation),
    compare('Database growth per operation, bytes', results, lines, (row) => row.databaseBytesPerOperation),
    factsTable(results),
    '## Each server in full',
    ...results.map((result) => renderResult(result).replace(/^## /, '### ')),
  ]
  return `${sections.filter((section) => section !== '').join('\n\n')}\n`
}

function serversTable(results: readonly Result[]): string {
  const columns: Column<Result>[] = [
    { title: 'server', cell: (result) => result.label },
    { title: 'version', cell: (result) => result.server },
    { title: 'durability', cell: (result) => result.durability },
    { title: 'run', cell: (result) => `${result.date}, ${result.scale} scale` },
    {
      title: 'checks',
      cell: (result) => (result.failures.length === 0 ? 'all passed' : `${result.failures.length} failed`),
    },
  ]
  return markdownTable(columns, results)
}

/** Room sizes and counts are part of a variant; servers that reached different ones have lines of their own. */
function linesOf(results: readonly Result[]): Line[] {
  const keys = new Map<string, { workload: string; variant: string }>()
  for (const result of results)
    for (const { workload, variant } of result.rows) keys.set(`${workload}\0${variant}`, { workload, variant })
  return [...keys.values()].map(({ workload, variant }) => ({
    workload,
    variant,
    cells: results.map((result) => result.rows.find((row) => row.workload === workload && row.variant === variant)),
  }))
}

function compare(
  title: string,
  results: readonly Result[],
  all: readonly Line[],
  pick: (row: Row) => number | undefined,
): string {
  const value = (row: Row | undefined) => (row === undefined ? undefined : pick(row))
  const lines = all.filter((line) => line.cells.some((row) => value(row) !== undefined))
  const columns: Column<Line>[] = [
    { title: 'workload', cell: (line) => `${line.workload}, ${line.variant}` },
    ...results.map((result, index) => ({
      title: result.label,
      align: 'right' as const,
      cell: (line: Line) => figure(value(line.cells[index])),
    })),
  ]
  return `### ${title}\n\n${markdownTable(columns, lines)}`
}

/** How many times as fast Holdfast is as each server that was measured at the same scale. */
function ratios(results: readonly Result[], all: readonly Line[]): string {
  const [first] = results
  const others = results.slice(1).filter((result) => result.scale === first?.scale)
  if (first === undefined || !first.label.startsWith('Holdfast') || others.length === 0) return ''
  const columns: Column<Line>[] = [
    { title: 'workload', cell: (line) => `${line.workload}, ${line.variant}` },
    ...others.map((result) => ({
      title: `to ${result.label}`,
      align: 'right' as const,
      cell: ({ cells }: Line) => times(cells[0], cells[results.indexOf(result)]),
    })),
  ]
  const lines = all.filter((line) => line.cells[0] !== undefined)
  const text = 'Operations per second held against each other; median latency where the workload pauses.'
  return `### ${first.label}: times as fast\n\n${text}\n\n${markdownTable(columns, lines)}`
}

/** By rate where there is one, else by median latency. */
function ratio(own: Row, other: Row): number {
  if (own.perSecond !== undefined && other.perSecond !== undefined) return own.perSecond / other.perSecond
  return other.latencyMs.p50 / own.latencyMs.p50
}

function times(own: Row | undefined, other: Row | undefined): string {
  return own === undefined || other === undefined ? '–' : `${figure(ratio(own, other))} x`
}

function factsTable(results: readonly Result[]): string {
  const names = new Map(results.flatMap((result) => result.facts.map((fact) => [fact.name, fact.unit] as const)))
  const columns: Column<readonly [string, string]>[] = [
    { title: 'what', cell: ([name, unit]) => `${name}, ${unit}` },
    ...results.map((result) => ({
      title: result.label,
      align: 'right' as const,
      cell: ([name]: readonly [string, string]) => figure(result.facts.find((fact) => fact.name === name)?.value),
    })),
  ]
  return `### Memory and sizes\n\n${markdownTable(columns, [...names])}`
}
