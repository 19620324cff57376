/** A run as tables: for the terminal, and for docs/conformance.md. */
import { groupOf } from './groups.ts'
import { reasonFor } from './reasons.ts'
import type { Outcome, Result } from './tap.ts'

type Counts = Record<Outcome, number>

export function countBy(results: readonly Result[], key: (result: Result) => string): [string, Counts][] {
  const groups = new Map<string, Counts>()
  for (const result of results) {
    const counts = groups.get(key(result)) ?? { pass: 0, fail: 0, skip: 0 }
    counts[result.outcome] += 1
    groups.set(key(result), counts)
  }
  return [...groups].toSorted(([a], [b]) => (a < b ? -1 : 1))
}

/** Passes and failures by file, then each failure with what Sytest says of it. */
export function renderForTerminal(results: readonly Result[]): string {
  const rows = [...countBy(results, ({ file }) => file), ...countBy(results, () => 'all')]
  const width = Math.max(...rows.map(([name]) => name.length))
  const table = rows.map(
    ([name, { pass, fail, skip }]) => `${name.padEnd(width)} ${cell(pass)} ${cell(fail)} ${cell(skip)}`,
  )
  const failures = results
    .filter(({ outcome }) => outcome !== 'pass')
    .map(({ outcome, file, name, detail }) => `${outcome}  ${file}  ${name}\n      ${detail}`)
  return `${'file'.padEnd(width)}  pass  fail  skip\n${table.join('\n')}\n\n${failures.join('\n')}\n`
}

function cell(count: number): string {
  return String(count).padStart(5)
}

/** The page with a suite's section replaced; a page without one gets it at its end. */
export function replaceSection(page: string, section: string, suite = 'sytest'): string {
  const from = `<!-- ${suite}: written by "npm run interop -- ${suite} --record" -->`
  const to = `<!-- ${suite}: end -->`
  const block = `${from}\n\n${section.trim()}\n\n${to}`
  const [begin, end] = [page.indexOf(from), page.indexOf(to)]
  if (begin === -1 || end === -1) return `${page.trimEnd()}\n\n${block}\n`
  return page.slice(0, begin) + block + page.slice(end + to.length)
}

export function renderSection(results: readonly Result[], version: string): string {
  const rows = [...countBy(results, ({ file }) => groupOf(file)), ...countBy(results, () => '**all**')]
  const table = rows.map(([name, { pass, fail, skip }]) => `| ${name} | ${pass} | ${fail} | ${skip} |`)
  return [
    `## Sytest\n\nSytest ${version}, every group whose subject is built here, with rooms of version 10 by default (Sytest knows none after 11); a skipped test lacks what an earlier one should have shown.`,
    `| group | pass | fail | skip |\n|---|---|---|---|\n${table.join('\n')}`,
    `### What does not pass, and why\n\n${renderReasons(results, skippedOr(reasonFor))}`,
  ].join('\n\n')
}

type ReasonFor = (result: Result) => string | undefined

/** Whatever did not pass, under its reason. */
export function renderReasons(results: readonly Result[], why: ReasonFor): string {
  const open = results.filter(({ outcome }) => outcome !== 'pass')
  return [...Map.groupBy(open, (result) => why(result) ?? 'unexplained')]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([reason, tests]) => renderReason(reason, tests))
    .join('\n\n')
}

function skippedOr(why: ReasonFor): ReasonFor {
  return (result) => why(result) ?? (result.outcome === 'skip' ? `skipped by Sytest: ${result.detail}` : undefined)
}

function renderReason(reason: string, tests: readonly Result[]): string {
  const lines = tests.map(
    ({ file, name, outcome }) => `- \`${file}\`: ${name}${outcome === 'skip' ? ' (skipped)' : ''}`,
  )
  return `**${reason}** (${tests.length})\n\n${lines.toSorted().join('\n')}`
}
