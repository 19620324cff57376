/** Measures Holdfast beside Synapse on this machine, one at a time, and writes docs/benchmarks.md. */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { spawnSync } from 'node:child_process'
import type { Candidate, Running } from './compare/candidate.ts'
import { holdfastPostgres, holdfastSqlite } from './compare/holdfast.ts'
import { type CompareOptions, parseCompareOptions, USAGE } from './compare/options.ts'
import { renderReport } from './compare/report.ts'
import { synapsePostgres, synapseSqlite } from './compare/synapse.ts'
import type { Result } from './report/result.ts'

const CANDIDATES: readonly Candidate[] = [holdfastSqlite, holdfastPostgres, synapseSqlite, synapsePostgres]
const MAIN = join(import.meta.dirname, 'main.ts')
const REPORT = join(import.meta.dirname, '..', 'docs', 'benchmarks.md')
const CORES = { server: '0', generator: '1' }
const NOTES = {
  '1+1': 'server with its database on one core, generator on the other',
  shared: 'server and generator share all cores',
}

async function main(): Promise<void> {
  const args = process.argv.slice(2)
  if (args.length === 0 || args.includes('--help')) return void process.stdout.write(`${USAGE}\n`)
  const options = parseCompareOptions(args)
  const results = join(resolve(options.work), 'results')
  mkdirSync(results, { recursive: true })
  if (!options.reportOnly) for (const candidate of chosen(options)) await measure(candidate, options, results)
  writeFileSync(REPORT, renderReport(readResults(results)))
}

function chosen({ only }: CompareOptions): readonly Candidate[] {
  const unknown = only?.find((name) => !CANDIDATES.some((candidate) => candidate.name === name))
  if (unknown !== undefined) throw new Error(`there is no server ${unknown} to start`)
  return only === undefined ? CANDIDATES : CANDIDATES.filter((candidate) => only.includes(candidate.name))
}

async function measure(candidate: Candidate, options: CompareOptions, results: string): Promise<void> {
  const work = resolve(options.work)
  const folder = join(work, candidate.name)
  rmSync(folder, { recursive: true, force: true })
  mkdirSync(folder, { recursive: true })
  const cores = options.layout === '1+1' ? CORES.server : undefined
  process.stderr.write(`\n=== ${candidate.label}\n`)
  const running = await candidate.start({ folder, cache: work, cores })
  try {
    runBench(candidate, running, options, join(results, `${candidate.name}.json`))
  } finally {
    await running.stop()
  }
}

/** A process of its own, so that every server meets the same fresh generator. */
function runBench(candidate: Candidate, running: Running, options: CompareOptions, jsonFile: string): void {
  const { database } = running
  const args = [
    MAIN,
    '--url',
    running.url,
    '--secret',
    running.secret,
    '--pid',
    running.pids.join(','),
    ...('path' in database ? ['--database-path', database.path] : ['--pg', database.pgUrl]),
    '--label',
    candidate.label,
    '--durability',
    candidate.durability,
    '--note',
    NOTES[options.layout],
    '--json',
    jsonFile,
    ...options.runArgs,
  ]
  const pinned = options.layout === '1+1'
  const command = pinned ? 'taskset' : process.execPath
  const commandArgs = pinned ? ['-c', CORES.generator, process.execPath, ...args] : args
  const { status, error } = spawnSync(command, commandArgs, { stdio: 'inherit' })
  if (error !== undefined) throw error
  if (status !== 0) process.stderr.write(`the run against ${candidate.label} failed, see its result\n`)
}

function readResults(folder: string): Result[] {
  const names = readdirSync(folder).filter((name) => name.endsWith('.json'))
  return names.sort().map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as Result)
}

await main()
