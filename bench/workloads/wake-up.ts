/** From the first byte of a send to the whole answer of a sync that was waiting for it. */

import { setTimeout as sleep } from 'node:timers/promises'
import type { Bench, Workload } from '../bench.ts'
import { expectAllOnce } from '../check/ledger.ts'
import { type ClientEvent, createRoom, joinRoom } from '../matrix/rooms.ts'
import type { Session } from '../matrix/session.ts'
import { parseSync, sync, syncRaw, timelineOf } from '../matrix/sync.ts'
import { createUsers, prepare } from './prepare.ts'
import { Sender } from './sending.ts'

export const wakeUp: Workload = {
  name: 'wake-up',
  describes: 'from sending a message to the answer of a long-polling sync, one waiter and many waiters in the room',
  run,
}

const LONG_POLL_MS = 30_000
/** Time for the server to take the syncs in before the message is sent: the same for every server. */
const PARK_MS = { base: 50, perWaiter: 10 }

type Waiter = { readonly session: Session; since: string; readonly seen: ClientEvent[] }

async function run(bench: Bench): Promise<void> {
  const { rounds, waiters, waiterRounds } = bench.scale.wakeUps
  await measureWaiters(bench, { waiters: 1, rounds })
  await measureWaiters(bench, { waiters, rounds: waiterRounds })
}

async function measureWaiters(bench: Bench, counts: { waiters: number; rounds: number }): Promise<void> {
  const [speaker, ...users] = await createUsers(bench, 'waiter', counts.waiters + 1)
  const roomId = await createRoom(speaker!)
  await prepare(bench, 'joins', users.length, (index) => joinRoom(users[index]!, roomId))
  const waiters: Waiter[] = []
  for (const session of users) waiters.push({ session, since: (await sync(session)).next_batch, seen: [] })
  const sender = new Sender()
  const parkMs = PARK_MS.base + PARK_MS.perWaiter * (counts.waiters - 1)
  const variant = counts.waiters === 1 ? 'one waiter' : `${counts.waiters} waiters`
  const span = {
    workload: wakeUp.name,
    variant,
    inFlight: 1,
    operationsMax: counts.rounds,
    secondsMax: 60,
    paced: true,
  }
  await bench.measure(span, async (_, round) => {
    const marker = `wake-${round}-`
    const waiting = waiters.map((waiter) => waitFor({ waiter, roomId, marker }))
    await sleep(parkMs)
    const [sent, ...wokenMs] = await Promise.all([sender.send({ session: speaker!, roomId }, marker), ...waiting])
    return wokenMs.map((ms) => ms - sent.startMs)
  })
  for (const waiter of waiters) expectAllOnce('wake-up', sender.ledger.inRoom(roomId), waiter.seen)
}

type Awaited = { readonly waiter: Waiter; readonly roomId: string; readonly marker: string }

/** Syncs until the marked message comes (presence and the like may wake it before); answers when it came. */
async function waitFor({ waiter, roomId, marker }: Awaited): Promise<number> {
  const deadlineMs = performance.now() + 2 * LONG_POLL_MS
  while (performance.now() < deadlineMs) {
    const raw = await syncRaw(waiter.session, { since: waiter.since, timeoutMs: LONG_POLL_MS })
    const arrivedMs = performance.now()
    const answer = parseSync(raw)
    waiter.since = answer.next_batch
    waiter.seen.push(...timelineOf(answer, roomId))
    if (raw.includes(marker)) return arrivedMs
  }
  throw new Error('a waiting sync was never answered with the message')
}
