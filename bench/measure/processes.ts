/** CPU time and memory of process trees, read from /proc. */

import { readdirSync, readFileSync } from 'node:fs'

export type ProcessTrees = {
  /** CPU seconds that the trees have used so far, with children that have ended. */
  cpuSeconds(): number
  memory(): Memory
}
/** RSS counts a page once per process, PSS divides shared pages: for PostgreSQL only PSS is meaningful. */
export type Memory = { readonly rssMiB: number; readonly pssMiB: number; readonly processes: number }

export type ProcessStat = {
  readonly pid: number
  readonly parentPid: number
  readonly cpuTicks: number
}

// USER_HZ, what /proc counts in, is 100 on every Linux architecture that Node runs on.
const TICKS_PER_SECOND = 100

export function processTrees(roots: readonly number[]): ProcessTrees {
  return {
    cpuSeconds: () => members(roots).reduce((sum, process) => sum + process.cpuTicks, 0) / TICKS_PER_SECOND,
    memory: () => {
      const parts = members(roots).map((process) => memoryOf(process.pid))
      const sum = (pick: (part: SmapsRollup) => number) => parts.reduce((total, part) => total + pick(part), 0) / 1024
      return { rssMiB: sum((part) => part.rssKiB), pssMiB: sum((part) => part.pssKiB), processes: parts.length }
    },
  }
}

function members(roots: readonly number[]): ProcessStat[] {
  const found = treeOf(roots, readAllStats())
  for (const root of roots) {
    if (!found.some((process) => process.pid === root)) throw new Error(`process ${root} does not exist`)
  }
  return found
}

function readAllStats(): ProcessStat[] {
  const stats: ProcessStat[] = []
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue
    const text = readIfPresent(`/proc/${name}/stat`)
    if (text !== undefined) stats.push(parseStat(text))
  }
  return stats
}

/** The roots and all that descend from them, each once. */
export function treeOf(roots: readonly number[], all: readonly ProcessStat[]): ProcessStat[] {
  const included = new Set(roots)
  for (let grown = true; grown;) {
    const sizeBefore = included.size
    for (const process of all) if (included.has(process.parentPid)) included.add(process.pid)
    grown = included.size > sizeBefore
  }
  return all.filter((process) => included.has(process.pid))
}

export function parseStat(text: string): ProcessStat {
  // The command name may hold spaces and parentheses: fields count from the last one.
  const afterName = text.slice(text.lastIndexOf(')') + 2).split(' ')
  const [userTicks, systemTicks, endedUserTicks, endedSystemTicks] = afterName.slice(11, 15).map(Number)
  return {
    pid: Number.parseInt(text, 10),
    parentPid: Number(afterName[1]),
    cpuTicks: userTicks! + systemTicks! + endedUserTicks! + endedSystemTicks!,
  }
}

type SmapsRollup = { rssKiB: number; pssKiB: number }

function memoryOf(pid: number): SmapsRollup {
  return parseSmapsRollup(readIfPresent(`/proc/${pid}/smaps_rollup`) ?? '')
}

export function parseSmapsRollup(text: string): SmapsRollup {
  const field = (name: string) => Number(new RegExp(String.raw`^${name}:\s+(\d+) kB$`, 'm').exec(text)?.[1] ?? 0)
  return { rssKiB: field('Rss'), pssKiB: field('Pss') }
}

/** A process may end between being listed and being read. */
function readIfPresent(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8')
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code
    if (code === 'ENOENT' || code === 'ESRCH') return undefined
    throw error
  }
}
