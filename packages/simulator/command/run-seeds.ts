/** Runs seeds in as many processes as there are processors, and says how it goes every second. */
import { type ChildProcess, fork } from 'node:child_process'
import { createSystemClock } from '@holdfast/platform/clock/system-clock'
import { OPEN_SEEDS } from '../open-seeds.ts'
import type { SeedResult } from '../run-seed.ts'
import type { Options } from './options.ts'
import { failureText } from './failure-text.ts'

export type ToldResult = SeedResult & { readonly plan: string }

/** A seed that takes longer hangs. */
const SEED_MS_MAX = 120_000
const PROGRESS_MS = 1_000
const FAILURES_SHOWN_MAX = 20

type Run = {
  readonly options: Options
  readonly results: ToldResult[]
  readonly failed: number[]
  /** Those that may fail, and did. */
  readonly open: number[]
  readonly write: (text: string) => void
  next: number
}

/** @returns the exit code */
export async function runSeeds(options: Options, write: (text: string) => void): Promise<number> {
  const clock = createSystemClock()
  const startMs = clock.monotonicMs()
  const run: Run = { options, results: [], failed: [], open: [], write, next: options.first }
  const over = new AbortController()
  const progress = tellProgress(run, over.signal)
  await Promise.all(Array.from({ length: Math.min(options.jobs, options.seeds) }, () => work(run)))
  over.abort()
  await progress
  const seconds = (clock.monotonicMs() - startMs) / 1000
  const last = options.first + options.seeds - 1
  write(
    `seeds ${options.first} to ${last}: ${run.failed.length} failed, ${seconds.toFixed(0)} s\n${sumText(run.results)}\n`,
  )
  for (const seed of run.open.toSorted((a, b) => a - b)) write(`open: seed ${seed}, ${OPEN_SEEDS.get(seed)}\n`)
  if (run.failed.length > 0) write(`failed: ${run.failed.toSorted((a, b) => a - b).join(' ')}\n`)
  return run.failed.length > 0 ? 1 : 0
}

async function work(run: Run): Promise<void> {
  const end = run.options.first + run.options.seeds
  let child: ChildProcess | undefined
  while (run.next < end) {
    const seed = run.next
    run.next += 1
    child ??= fork(new URL('./seed-process.ts', import.meta.url))
    const result = await runOne(child, { seed, trace: run.options.trace, about: run.options.about })
    if (typeof result === 'string') {
      child.kill('SIGKILL')
      child = undefined
      fail(run, seed, `seed ${seed}: ${result}\n`)
      continue
    }
    run.results.push(result)
    if (result.violations.length > 0) fail(run, seed, failureText(result))
    else if (run.options.seeds === 1) run.write(`${result.trace.join('\n')}\n`)
  }
  child?.kill()
}

function fail({ failed, open, options, write }: Run, seed: number, text: string): void {
  if (OPEN_SEEDS.has(seed) && options.seeds > 1) {
    open.push(seed)
    return
  }
  failed.push(seed)
  if (failed.length <= FAILURES_SHOWN_MAX) write(text)
}

/** A sentence: the process did not come to an end with it. */
async function runOne(child: ChildProcess, order: object): Promise<ToldResult | string> {
  const over = new AbortController()
  const { promise, resolve } = Promise.withResolvers<ToldResult | string>()
  const onExit = (code: number | null): void => resolve(`the process ended with ${code}`)
  child.once('message', (result) => resolve(result as ToldResult))
  child.once('exit', onExit)
  child.send(order)
  createSystemClock()
    .sleep(SEED_MS_MAX, over.signal)
    .then(
      () => resolve(`not done after ${SEED_MS_MAX / 1000} s`),
      () => undefined,
    )
  const result = await promise
  over.abort()
  child.removeAllListeners('message')
  child.off('exit', onExit)
  return result
}

async function tellProgress(run: Run, signal: AbortSignal): Promise<void> {
  const clock = createSystemClock()
  while (!signal.aborted) {
    await clock.sleep(PROGRESS_MS, signal).catch(() => undefined)
    if (signal.aborted) return
    run.write(`${run.results.length} of ${run.options.seeds} seeds, ${run.failed.length} failed\n`)
  }
}

function sumText(results: readonly SeedResult[]): string {
  const sum = (of: (result: SeedResult) => number): number => results.reduce((total, result) => total + of(result), 0)
  return [
    `${(sum(({ virtualMs }) => virtualMs) / 3_600_000).toFixed(1)} h of virtual time`,
    `${sum(({ exchanges }) => exchanges)} requests between servers`,
    `${sum(({ acknowledged }) => acknowledged)} messages`,
    `${sum(({ crashes }) => crashes)} crashes`,
    `${sum(({ isolated }) => isolated)} isolated members`,
  ].join(', ')
}
