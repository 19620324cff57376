/** Runs the workloads against one server, tells the result as a table and writes it as JSON. */

import { writeFileSync } from 'node:fs'
import { Bench, type Workload } from './bench.ts'
import { HttpClient } from './http/client.ts'
import { createAccounts } from './matrix/accounts.ts'
import { databaseSize } from './measure/database-size.ts'
import { processTrees } from './measure/processes.ts'
import { type Options, parseOptions, USAGE, UsageError } from './options.ts'
import { profiledInstruments } from './profile/profiler.ts'
import { describeMachine } from './report/machine.ts'
import { createProgress } from './report/progress.ts'
import { type Failure, renderResult, type Result } from './report/result.ts'
import { WORKLOADS } from './workloads/catalogue.ts'

async function main(): Promise<void> {
  const options = parseOptions(process.argv.slice(2))
  if (options === 'help') return say(USAGE)
  if (options === 'list') return say(WORKLOADS.map(({ name, describes }) => `${name}: ${describes}`).join('\n'))
  const result = await run(options)
  say(renderResult(result))
  if (options.jsonFile !== undefined) writeFileSync(options.jsonFile, `${JSON.stringify(result, undefined, 2)}\n`)
  process.exitCode = result.failures.length === 0 ? 0 : 1
}

async function run(options: Options): Promise<Result> {
  const workloads = chosen(options)
  const client = new HttpClient(options.url)
  const progress = createProgress((line) => void process.stderr.write(`${line}\n`))
  const trees = options.pids.length === 0 ? undefined : processTrees(options.pids)
  const plain = { client, trees, databaseSize: databaseSize({ path: options.databasePath, pgUrl: options.pgUrl }) }
  const instruments = profiledInstruments(plain, { folder: options.profileFolder, pid: options.pids[0] })
  const accounts = createAccounts(client, options.registration)
  const bench = new Bench({ accounts, instruments, scale: options.scale, progress })
  const server = await serverVersion(client)
  const failures = await runAll(bench, workloads)
  client.close()
  return {
    label: options.label,
    server,
    durability: options.durability ?? 'not named',
    date: new Date().toISOString().slice(0, 16).replace('T', ' '),
    machine: describeMachine(),
    note: options.note,
    scale: options.scaleName,
    rows: bench.rows,
    facts: bench.facts,
    failures,
  }
}

function chosen({ only }: Options): readonly Workload[] {
  const unknown = only?.find((name) => !WORKLOADS.some((workload) => workload.name === name))
  if (unknown !== undefined) throw new UsageError(`there is no workload ${unknown}; --list tells them`)
  return only === undefined ? WORKLOADS : WORKLOADS.filter((workload) => only.includes(workload.name))
}

/** A failed workload fails the run, but the others still tell their figures. */
async function runAll(bench: Bench, workloads: readonly Workload[]): Promise<Failure[]> {
  const failures: Failure[] = []
  for (const workload of workloads) {
    bench.progress.say(`${workload.name}: ${workload.describes}`)
    try {
      await workload.run(bench)
    } catch (error) {
      const { message } = error as Error
      failures.push({ workload: workload.name, message })
      bench.progress.say(`FAILED ${workload.name}: ${message}`)
    }
  }
  return failures
}

async function serverVersion(client: HttpClient): Promise<string> {
  const response = await client.request({ method: 'GET', target: '/_matrix/federation/v1/version' })
  if (response.status !== 200) return 'version not told'
  const { server } = JSON.parse(response.body.toString('utf8')) as { server?: { name?: string; version?: string } }
  return `${server?.name ?? 'unnamed'} ${server?.version ?? ''}`.trim()
}

function say(text: string): void {
  process.stdout.write(`${text}\n`)
}

try {
  await main()
} catch (error) {
  if (!(error instanceof UsageError)) throw error
  process.stderr.write(`${error.message}\n\n${USAGE}\n`)
  process.exitCode = 2
}
