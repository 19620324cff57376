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

const BEGIN = '<!-- sytest: written by "npm run interop -- sytest --record" -->'
const END = '<!-- sytest: end -->'

/** The page with its Sytest section replaced; a page without one gets it at its end. */
export function replaceSection(page: string, section: string): string {
  const block = `${BEGIN}\n\n${section.trim()}\n\n${END}`
  const [begin, end] = [page.indexOf(BEGIN), page.indexOf(END)]
  if (begin === -1 || end === -1) return `${page.trimEnd()}\n\n${block}\n`
  return page.slice(0, begin) + block + page.slice(end + END.length)
}

export function renderSection(results: readonly Result[], version: string): string {
  const rows = [...countBy(results, ({ file }) => groupOf(file)), ...countBy(results, () => '**all**')]
  const table = rows.map(([name, { pass, fail, skip }]) => `| ${name} | ${pass} | ${fail} | ${skip} |`)
  const open = results.filter(({ outcome }) => outcome !== 'pass')
  const byReason = Map.groupBy(
    open,
    (result) => reasonFor(result) ?? (result.outcome === 'skip' ? skipped(result) : 'unexplained'),
  )
  const reasons = [...byReason]
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([reason, tests]) => renderReason(reason, tests))
  return [
    `## Sytest\n\nSytest ${version}, the groups that need no second server; a skipped test lacks what an earlier one should have shown.`,
    `| group | pass | fail | skip |\n|---|---|---|---|\n${table.join('\n')}`,
    `### What does not pass, and why\n\n${reasons.join('\n\n')}`,
  ].join('\n\n')
}

function skipped({ detail }: Result): string {
  return `skipped by Sytest: ${detail}`
}

function renderReason(reason: string, tests: readonly Result[]): string {
  const lines = tests.map(
    ({ file, name, outcome }) => `- \`${file}\`: ${name}${outcome === 'skip' ? ' (skipped)' : ''}`,
  )
  return `**${reason}** (${tests.length})\n\n${lines.toSorted().join('\n')}`
}
