/** Memory and CPU of the server at rest: before the other workloads, and after them. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench, Workload } from '../bench.ts'

export const idle: Workload = {
  name: 'idle',
  describes: 'memory and CPU of the server before any load',
  run: (bench) => rest(bench, 'idle'),
}
export const loaded: Workload = {
  name: 'loaded',
  describes: 'memory and CPU after the load',
  run: (bench) => rest(bench, 'loaded'),
}

async function rest(bench: Bench, when: string): Promise<void> {
  const { trees } = bench.instruments
  if (trees === undefined) return bench.progress.say(`${when}: no --pid, no memory`)
  await sleep(bench.scale.settleSeconds * 1000)
  const before = trees.cpuSeconds()
  await sleep(bench.scale.settleSeconds * 1000)
  const memory = trees.memory()
  bench.fact(`${when} memory, PSS`, memory.pssMiB, 'MiB')
  bench.fact(`${when} memory, RSS`, memory.rssMiB, 'MiB')
  bench.fact(`${when} CPU`, ((trees.cpuSeconds() - before) / bench.scale.settleSeconds) * 100, '% of a core')
}
