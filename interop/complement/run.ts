/** Runs Complement against an image of this checkout; see README.md. Ends with 77 when it cannot run on this machine. */
import { execFileSync, spawn, spawnSync } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { renderForTerminal, renderReasons, replaceSection } from '../sytest/report.ts'
import { changes, renderScoreboard } from '../sytest/scoreboard.ts'
import type { Result } from '../sytest/tap.ts'
import { readGoTest } from './go-test.ts'
import { buildImage } from './image.ts'
import { reasonFor } from './reasons.ts'

const NOT_HERE = 77
const ROOT = join(import.meta.dirname, '../..')
const RESULTS = join(import.meta.dirname, 'results.txt')
const PAGE = join(ROOT, 'docs/conformance.md')
const PACKAGES = ['./tests', './tests/csapi']
const IMAGE = 'holdfast-complement'

const { values, positionals } = parseArgs({
  options: {
    record: { type: 'boolean', default: false },
    read: { type: 'boolean', default: false },
    run: { type: 'string' },
  },
  allowPositionals: true,
})
const checkout = resolve(process.env['COMPLEMENT_CHECKOUT'] ?? join(ROOT, '../complement'))

async function runComplement(): Promise<string> {
  const work = join(ROOT, 'node_modules/.cache/holdfast-complement')
  mkdirSync(work, { recursive: true })
  const out = join(work, 'go-test.json')
  await using file = await open(out, 'w')
  const only = values.run === undefined ? [] : ['-run', values.run]
  // One package after the other: their servers would have the same names.
  const args = ['test', '-json', '-count=1', '-p', '1', '-timeout', '60m', ...only, ...PACKAGES]
  const env = { ...process.env, COMPLEMENT_BASE_IMAGE: IMAGE, COMPLEMENT_ENABLE_DIRTY_RUNS: '1' }
  const go = spawn('go', args, { cwd: checkout, env, stdio: ['ignore', file.fd, 'inherit'] })
  await once(go, 'close')
  return readFileSync(out, 'utf8')
}

function compare(results: readonly Result[]): number {
  const recorded = existsSync(RESULTS) ? readFileSync(RESULTS, 'utf8') : ''
  const ran = new Set(results.map(({ file, name }) => `${file}  ${name}`))
  // With --run, the tests that were not run have not changed.
  const lines = recorded.split('\n').filter((line) => values.run === undefined || ran.has(line.replace(/ {2}\w+$/, '')))
  const changed = changes(lines.join('\n'), results)
  for (const { test, from, to } of changed) console.log(`changed: ${test}: ${from} → ${to}`)
  console.log(changed.length === 0 ? 'The results are those of results.txt.' : '--record writes them down.')
  return changed.length === 0 ? 0 : 1
}

function record(results: readonly Result[]): void {
  writeFileSync(RESULTS, renderScoreboard(results))
  const version = execFileSync('go', ['list', '-m', '-f', '{{.Path}}'], { cwd: checkout, encoding: 'utf8' }).trim()
  const rows = PACKAGES.map((path) => path.slice(2)).map((name) => {
    const of = (outcome: string): number =>
      results.filter((result) => result.file === name && result.outcome === outcome).length
    return `| \`${name}\` | ${of('pass')} | ${of('fail')} | ${of('skip')} |`
  })
  const section = [
    `## Complement\n\nTop-level tests of \`${version}\`, with rooms of version 11 by default: its own server cannot sign all events of version 12.`,
    `| package | pass | fail | skip |\n|---|---|---|---|\n${rows.join('\n')}`,
    `### What does not pass, and why\n\n${renderReasons(results, reasonFor)}`,
  ]
  writeFileSync(PAGE, replaceSection(readFileSync(PAGE, 'utf8'), section.join('\n\n'), 'complement'))
}

function whatIsLacking(): string | undefined {
  if (!existsSync(join(checkout, 'go.mod'))) return `Complement is not in ${checkout}`
  if (spawnSync('go', ['version']).status !== 0) return 'Go is not installed'
  if (spawnSync('docker', ['info']).status !== 0) return 'no Docker engine answers'
  return undefined
}

async function main(): Promise<number> {
  const lacking = values.read ? undefined : whatIsLacking()
  if (lacking !== undefined) {
    console.log(`${lacking}: see interop/complement/README.md`)
    return NOT_HERE
  }
  if (!values.read) buildImage(IMAGE)
  const json = values.read ? positionals.map((path) => readFileSync(path, 'utf8')).join('') : await runComplement()
  // What was run again counts as it ended last.
  const results = [...new Map(readGoTest(json).map((result) => [`${result.file} ${result.name}`, result])).values()]
  console.log(renderForTerminal(results))
  if (results.length === 0) return 1
  if (!values.record || values.run !== undefined) return compare(results)
  record(results)
  return 0
}

process.exitCode = await main()
