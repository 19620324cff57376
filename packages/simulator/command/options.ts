/** What the command line asks for. */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'

export type Options = {
  readonly seeds: number
  readonly first: number
  /** Processes. */
  readonly jobs: number
  /** Lines of the trace that are shown of a seed that fails. */
  readonly trace: number
  /** Only lines of the trace with this text. */
  readonly about: string | undefined
}

export type ReadOptions =
  | { readonly ok: true; readonly value: Options }
  | { readonly ok: false; readonly message: string }

const USAGE = 'npm run simulate -- [--seeds 500] [--first 1] [--jobs PROCESSORS] [--trace LINES] [--about TEXT]'
const SEEDS_MAX = 10_000_000
const JOBS_MAX = 64

export function readOptions(args: readonly string[]): ReadOptions {
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        seeds: { type: 'string', default: '500' },
        first: { type: 'string', default: '1' },
        jobs: { type: 'string', default: String(availableParallelism()) },
        trace: { type: 'string', default: '60' },
        about: { type: 'string' },
      },
    })
    const value = {
      seeds: integer('seeds', values.seeds, SEEDS_MAX),
      first: integer('first', values.first, Number.MAX_SAFE_INTEGER - SEEDS_MAX),
      jobs: integer('jobs', values.jobs, JOBS_MAX),
      trace: integer('trace', values.trace, 100_000),
      about: values.about,
    }
    return { ok: true, value }
  } catch (error) {
    return { ok: false, message: `${(error as Error).message}\n${USAGE}` }
  }
}

function integer(name: string, text: string, max: number): number {
  const value = Number(text)
  if (!/^\d{1,16}$/.test(text) || value < 1 || value > max)
    throw new Error(`--${name} is a whole number from 1 to ${max}`)
  return value
}
