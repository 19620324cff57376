/** Syncs from a token on, of an account in many rooms: nothing new, one room changed, twenty rooms changed. */

import type { Bench, Workload } from '../bench.ts'
import { expectAllOnce } from '../check/ledger.ts'
import { parseSync, sync, syncRaw, timelineOf } from '../matrix/sync.ts'
import { largeAccount, type LargeAccount } from './large-account.ts'
import { Sender, type Target } from './sending.ts'

export const incrementalSync: Workload = {
  name: 'incremental-sync',
  describes: 'sync from a token on, of an account in 500 rooms, when 0, 1 or 20 of them have a new message',
  run,
}

const IN_FLIGHT = [1, 10]

async function run(bench: Bench): Promise<void> {
  const account = await largeAccount(bench)
  for (const changed of [0, 1, 20]) {
    const sender = new Sender()
    const since = (await sync(account.session, { filter: uncached(changed) })).next_batch
    const rooms = account.rooms.slice(0, changed)
    for (const target of rooms) await sender.send(target)
    for (const inFlight of IN_FLIGHT) await measureSyncs({ bench, account, sender, rooms, since, inFlight })
  }
}

/** Servers answer equal syncs out of a response cache; the limit matters to none of these, but tells them apart. */
function uncached(number: number): object {
  return { room: { timeline: { limit: 100 + number } } }
}

type Case = {
  readonly bench: Bench
  readonly account: LargeAccount
  readonly sender: Sender
  readonly rooms: readonly Target[]
  readonly since: string
  readonly inFlight: number
}

async function measureSyncs({ bench, account, sender, rooms, since, inFlight }: Case): Promise<void> {
  let last: Buffer = Buffer.alloc(0)
  const variant = `${rooms.length} of ${account.rooms.length} rooms changed, ${inFlight} in flight`
  const operationsMax = bench.scale.syncs.incremental
  await bench.measure({ workload: incrementalSync.name, variant, inFlight, operationsMax }, async (_, index) => {
    last = await syncRaw(account.session, { since, filter: uncached(inFlight * 10_000 + index) })
  })
  const answer = parseSync(last)
  for (const { roomId } of rooms) {
    expectAllOnce('incremental sync', sender.ledger.inRoom(roomId), timelineOf(answer, roomId))
  }
}
