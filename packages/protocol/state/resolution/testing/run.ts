/* oxlint-disable unicorn/require-post-message-target-origin -- a rule for windows; threads have no origin */
/**
 * Holds state resolution against the naive implementation on many random rooms, on every core:
 *
 *   node packages/protocol/state/resolution/testing/run.ts [--rooms 100000] [--first-seed 0] [--only v1|v2|v2.1] [--threads N]
 *
 * Ends with 1 and tells the seed when a room is resolved wrongly.
 */
import { availableParallelism } from 'node:os'
import { parseArgs } from 'node:util'
import { Worker, isMainThread, parentPort, workerData } from 'node:worker_threads'
import { problemOf } from './compare.ts'
import type { Algorithm } from './random-room.ts'

const ALGORITHMS: readonly Algorithm[] = ['v1', 'v2', 'v2.1']
const TOLD_EVERY = 10_000
const REPORTED_EVERY = 500

/** Each worker takes every n-th seed. */
type Share = {
  readonly algorithms: readonly Algorithm[]
  readonly from: number
  readonly rooms: number
  readonly step: number
}
type Report = { readonly algorithm: Algorithm; readonly rooms: number; readonly problem?: string }

if (!isMainThread) work(workerData as Share)
else if (import.meta.main) process.exitCode = await main()

function work({ algorithms, from, rooms, step }: Share): void {
  for (const algorithm of algorithms) {
    let done = 0
    for (let seed = from; seed < from + rooms; seed += step) {
      const problem = problemSafely(algorithm, seed)
      if (problem !== undefined) report({ algorithm, rooms: 0, problem: `${algorithm}, seed ${seed}: ${problem}` })
      done += 1
      if (done % REPORTED_EVERY === 0) report({ algorithm, rooms: REPORTED_EVERY })
    }
    report({ algorithm, rooms: done % REPORTED_EVERY })
  }
}

function report(message: Report): void {
  parentPort?.postMessage(message)
}

function problemSafely(algorithm: Algorithm, seed: number): string | undefined {
  try {
    return problemOf(algorithm, seed)
  } catch (error) {
    return (error as Error).stack ?? String(error)
  }
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      rooms: { type: 'string', default: '100000' },
      'first-seed': { type: 'string', default: '0' },
      only: { type: 'string' },
      threads: { type: 'string', default: String(availableParallelism()) },
    },
  })
  const [rooms, first, threads] = [values.rooms, values['first-seed'], values.threads].map(Number) as [
    number,
    number,
    number,
  ]
  const algorithms = ALGORITHMS.filter((algorithm) => values.only === undefined || algorithm === values.only)
  const startedMs = performance.now()
  const progress = createProgress(rooms)
  const shares = Array.from({ length: threads }, (_, index): Share => {
    return { algorithms, from: first + index, rooms: rooms - index, step: threads }
  })
  await Promise.all(shares.map((share) => finished(share, progress.take)))
  const seconds = ((performance.now() - startedMs) / 1000).toFixed(0)
  const verdict = progress.problems() === 0 ? 'all as the naive implementation has it' : `${progress.problems()} WRONG`
  say(`state resolution: ${rooms} random rooms for each of ${algorithms.join(', ')} in ${seconds} s: ${verdict}`)
  return progress.problems() === 0 && progress.rooms() === rooms * algorithms.length ? 0 : 1
}

function finished(share: Share, take: (report: Report) => void): Promise<void> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(new URL(import.meta.url), { workerData: share })
    worker.on('message', take)
    worker.on('error', reject)
    worker.on('exit', () => resolve())
  })
}

type Progress = {
  readonly take: (report: Report) => void
  readonly problems: () => number
  readonly rooms: () => number
}

function createProgress(roomsOfEach: number): Progress {
  const done = new Map<Algorithm, number>()
  let problems = 0
  const take = ({ algorithm, rooms, problem }: Report): void => {
    const before = done.get(algorithm) ?? 0
    const now = before + rooms
    done.set(algorithm, now)
    if (problem !== undefined) problems += 1
    if (problem !== undefined && problems <= 10) say(problem)
    if (Math.floor(before / TOLD_EVERY) !== Math.floor(now / TOLD_EVERY)) say(`${algorithm}: ${now} of ${roomsOfEach}`)
  }
  return { take, problems: () => problems, rooms: () => [...done.values()].reduce((sum, rooms) => sum + rooms, 0) }
}

function say(line: string): void {
  process.stdout.write(`${line}\n`)
}
