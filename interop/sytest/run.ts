/** Runs Sytest against this checkout; see README.md. Ends with 77 when Sytest is not on this machine. */
import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { createWriteStream, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { delimiter, join, resolve } from 'node:path'
import { parseArgs } from 'node:util'
import { filesOf } from './groups.ts'
import { renderForTerminal, renderSection, replaceSection } from './report.ts'
import { changes, renderScoreboard } from './scoreboard.ts'
import { type Result, type Run, distinct, readRun } from './tap.ts'

const NOT_HERE = 77
const ROOT = join(import.meta.dirname, '../..')
const RESULTS = join(import.meta.dirname, 'results.txt')
const PAGE = join(ROOT, 'docs/conformance.md')
const RUN_MS_MAX = 60 * 60 * 1000

const { values, positionals } = parseArgs({
  options: { record: { type: 'boolean', default: false }, read: { type: 'boolean', default: false } },
  allowPositionals: true,
})
const checkout = resolve(process.env['SYTEST_CHECKOUT'] ?? join(ROOT, '../sytest'))
const perlModules = resolve(process.env['SYTEST_PERL_MODULES'] ?? join(ROOT, '../shared/tools/sytest/lib'))

async function runSytest(files: readonly string[]): Promise<Run> {
  const work = join(checkout, 'work')
  mkdirSync(work, { recursive: true })
  const env = {
    ...process.env,
    PERL5LIB: [join(import.meta.dirname, 'plugin'), perlModules].join(delimiter),
    HOLDFAST_CHECKOUT: ROOT,
  }
  const args = ['run-tests.pl', '-I', 'Holdfast', '--work-directory', 'work', '-O', 'tap', ...files]
  const perl = spawn('perl', args, { cwd: checkout, env, stdio: ['ignore', 'pipe', 'pipe'] })
  perl.stdout.pipe(createWriteStream(join(work, 'run.tap')))
  perl.stderr.pipe(createWriteStream(join(work, 'run.err')))
  perl.stderr.on('data', (chunk: Buffer) => showProgress(chunk.toString()))
  // Sytest stops its servers on SIGINT, on nothing else.
  const stop = (): void => void perl.kill('SIGINT')
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.on(signal, stop)
  const limit = setTimeout(stop, RUN_MS_MAX)
  await once(perl, 'close')
  clearTimeout(limit)
  return readRun(readFileSync(join(work, 'run.tap'), 'utf8'), readFileSync(join(work, 'run.err'), 'utf8'))
}

function showProgress(text: string): void {
  for (const [line] of text.matchAll(/^tests\/\S+\.pl:$/gm)) console.log(line)
}

function compare(results: readonly Result[]): number {
  const recorded = existsSync(RESULTS) ? readFileSync(RESULTS, 'utf8') : ''
  const changed = changes(onlyOf(new Set(results.map(({ file }) => file)), recorded), results)
  for (const { test, from, to } of changed) console.log(`changed: ${test}: ${from} → ${to}`)
  console.log(changed.length === 0 ? 'The results are those of results.txt.' : '--record writes them down.')
  return changed.length === 0 ? 0 : 1
}

/** The recorded results of the files that were run. */
function onlyOf(files: ReadonlySet<string>, scoreboard: string): string {
  const lines = scoreboard.split('\n')
  return lines.filter((line) => files.has(line.slice(0, line.indexOf('  ')))).join('\n')
}

function record(results: readonly Result[]): void {
  writeFileSync(RESULTS, renderScoreboard(results))
  const version = existsSync(checkout)
    ? execFileSync('git', ['-C', checkout, 'log', '-1', '--format=%h of %cs'], { encoding: 'utf8' }).trim()
    : ''
  const page = existsSync(PAGE) ? readFileSync(PAGE, 'utf8') : '# Conformance\n'
  writeFileSync(PAGE, replaceSection(page, renderSection(results, version)))
}

async function main(): Promise<number> {
  if (values.record && !values.read && positionals.length > 0) {
    console.log('--record takes all groups: the results of some files would replace those of the others.')
    return 2
  }
  if (!values.read && !existsSync(join(checkout, 'run-tests.pl'))) {
    console.log(`Sytest is not in ${checkout}: see interop/sytest/README.md`)
    return NOT_HERE
  }
  const [tap = '', errors = ''] = positionals
  const run = values.read
    ? readRun(readFileSync(tap, 'utf8'), readFileSync(errors, 'utf8'))
    : await runSytest(positionals.length > 0 ? positionals : filesOf(checkout))
  const results = distinct(run.results)
  console.log(renderForTerminal(results))
  if (run.brokeOff !== undefined) {
    console.log(`The run broke off: ${run.brokeOff}`)
    return 1
  }
  if (values.record) record(results)
  return values.record ? 0 : compare(results)
}

process.exitCode = await main()
