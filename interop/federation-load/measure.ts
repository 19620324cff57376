/** What the server under test uses and how it answers others meanwhile. */
import { readdirSync, readFileSync } from 'node:fs'
import { parseStat, processTrees, type ProcessTrees } from '../../bench/measure/processes.ts'
import { summarise, type Summary } from '../../bench/measure/statistics.ts'
import type { Person } from '../synapse/person.ts'

/** Holdfast's own figures of its event loop; a server without them has none. */
export type LoopDelay = { readonly p50Ms: number; readonly p99Ms: number; readonly maxMs: number }

export type Cost = {
  readonly seconds: number
  readonly cpuSeconds: number
  readonly rssMiB: { readonly before: number; readonly peak: number; readonly after: number }
  readonly loopDelay: LoopDelay | undefined
  /** Latency of another user's requests. */
  readonly others: Summary
}

const SAMPLE_EVERY_MS = 50
const MEMORY_EVERY = 4

/** Of all that this process has started: one server at a time. */
export async function costOf(bystander: Person, work: () => Promise<void>): Promise<Cost> {
  const trees = childTrees()
  await loopDelay(bystander)
  const before = trees.memory().rssMiB
  const cpuBefore = trees.cpuSeconds()
  const othersMs: number[] = []
  let peak = before
  const span = { isOver: false }
  const sampling = (async () => {
    for (let index = 0; !span.isOver; index += 1) {
      const askedMs = performance.now()
      await bystander.get('/account/whoami')
      othersMs.push(performance.now() - askedMs)
      if (index % MEMORY_EVERY === 0) peak = Math.max(peak, trees.memory().rssMiB)
      await new Promise((resolve) => setTimeout(resolve, SAMPLE_EVERY_MS))
    }
  })()
  const startMs = performance.now()
  try {
    await work()
  } finally {
    span.isOver = true
  }
  const seconds = (performance.now() - startMs) / 1000
  await sampling
  const after = trees.memory().rssMiB
  return {
    seconds,
    cpuSeconds: trees.cpuSeconds() - cpuBefore,
    rssMiB: { before, peak: Math.max(peak, after), after },
    loopDelay: await loopDelay(bystander),
    others: summarise(othersMs),
  }
}

function childTrees(): ProcessTrees {
  const children = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => {
      const stat = statOf(name)
      return stat?.parentPid === process.pid ? [stat.pid] : []
    })
  return processTrees(children)
}

function statOf(pid: string) {
  try {
    return parseStat(readFileSync(`/proc/${pid}/stat`, 'utf8'))
  } catch {
    return undefined // it has ended meanwhile
  }
}

/** Since the last time that it was read. */
async function loopDelay({ peer }: Person): Promise<LoopDelay | undefined> {
  if (peer.software !== 'holdfast') return undefined
  const text = await (await fetch(`${peer.url}/metrics`)).text()
  const ms = (suffix: string): number => {
    const value = new RegExp(String.raw`^holdfast_event_loop_delay_${suffix}_seconds (\S+)`, 'm').exec(text)?.[1]
    return Number(value) * 1000
  }
  return { p50Ms: ms('p50'), p99Ms: ms('p99'), maxMs: ms('max') }
}
