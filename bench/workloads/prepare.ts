/** Preparation shared by workloads: many accounts, and bounded loops with progress. */

import type { Bench } from '../bench.ts'
import type { Session } from '../matrix/session.ts'
import { closedLoop } from '../measure/closed-loop.ts'

const IN_FLIGHT = 10

/** Does `step` for 0 ... count-1, ten at a time; answers how many were done within the time for preparation. */
export async function prepare(bench: Bench, title: string, count: number, step: (index: number) => Promise<void>) {
  const progress = bench.progress.counter(title, count)
  const limits = {
    inFlight: Math.min(IN_FLIGHT, count),
    operationsMax: count,
    secondsMax: bench.scale.prepareSecondsMax,
  }
  const { samplesMs } = await closedLoop(limits, async (_, index) => {
    await step(index)
    progress.add()
  })
  return samplesMs.length
}

export async function createUsers(bench: Bench, role: string, count: number): Promise<Session[]> {
  const users: Session[] = []
  await prepare(bench, `accounts (${role})`, count, async (index) => {
    users[index] = await bench.accounts.create(role)
  })
  if (users.length < count || users.includes(undefined as never)) throw new Error(`no time to create ${count} accounts`)
  return users
}
