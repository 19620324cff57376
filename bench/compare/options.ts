/** The command line of the comparison. */

import { parseArgs } from 'node:util'

export const USAGE = `node bench/compare.ts --work FOLDER [options]

Starts Holdfast and Synapse one after the other, measures each, and writes docs/benchmarks.md from all results in
FOLDER/results: also from those that "npm run bench -- --json FOLDER/results/NAME.json" left there for other servers.

  --work FOLDER     where servers are installed and run; outside the repository, made when absent
  --only NAMES      of holdfast-sqlite, holdfast-postgres, synapse-sqlite, synapse-postgres; comma-separated
  --layout LAYOUT   1+1: server with its database on core 0, generator on core 1 (default); shared: both on all cores
  --workloads NAMES only these workloads
  --members N       size that the room of the joins workload grows to
  --quick           small and short runs
  --report          measures nothing, only writes docs/benchmarks.md`

export type CompareOptions = {
  readonly work: string
  readonly only?: readonly string[] | undefined
  readonly layout: '1+1' | 'shared'
  readonly reportOnly: boolean
  /** Options that every benchmark run gets. */
  readonly runArgs: readonly string[]
}

export function parseCompareOptions(args: readonly string[]): CompareOptions {
  const text = { type: 'string' } as const
  const flag = { type: 'boolean' } as const
  const options = { work: text, only: text, layout: text, workloads: text, members: text, quick: flag, report: flag }
  const { values } = parseArgs({ args: [...args], options })
  if (values.work === undefined) throw new Error('--work is missing')
  const layout = values.layout ?? '1+1'
  if (layout !== '1+1' && layout !== 'shared') throw new Error(`--layout is 1+1 or shared, not ${layout}`)
  const runArgs = [
    ...(values.quick === true ? ['--quick'] : []),
    ...(values.workloads === undefined ? [] : ['--only', values.workloads]),
    ...(values.members === undefined ? [] : ['--members', values.members]),
  ]
  return { work: values.work, only: values.only?.split(','), layout, reportOnly: values.report === true, runArgs }
}
