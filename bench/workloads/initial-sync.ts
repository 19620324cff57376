/** The first sync of an account in many rooms. */

import type { Bench, Workload } from '../bench.ts'
import { parseSync, type SyncOptions, syncRaw, timelineOf } from '../matrix/sync.ts'
import { largeAccount, type LargeAccount } from './large-account.ts'

export const initialSync: Workload = {
  name: 'initial-sync',
  describes:
    'sync without a token, of an account in 500 rooms; the first one, then further ones, then with lazy members',
  run,
}

const LAZY = { room: { state: { lazy_load_members: true }, timeline: { limit: 20 } } }

async function run(bench: Bench): Promise<void> {
  const account = await largeAccount(bench)
  const measure = async (variant: string, operationsMax: number, options: SyncOptions) => {
    let last: Buffer = Buffer.alloc(0)
    const title = `${account.rooms.length} rooms, ${variant}`
    const span = { workload: initialSync.name, variant: title, inFlight: 1, operationsMax, secondsMax: 60 }
    await bench.measure(span, async (_, index) => {
      // The timeout does not matter to a first sync, but keeps servers from answering out of a response cache.
      last = await syncRaw(account.session, { ...options, timeoutMs: index + 1 })
    })
    expectAllRooms(account, last)
    bench.fact(`initial sync response, ${variant}`, last.length / 1024, 'KiB')
  }
  await measure('first', 1, {})
  await measure('again', bench.scale.syncs.initial, {})
  await measure('lazy members', bench.scale.syncs.initial, { filter: LAZY })
}

/** Every room is there, and its timeline ends with the last message that was acknowledged. */
function expectAllRooms(account: LargeAccount, raw: Buffer): void {
  const answer = parseSync(raw)
  const joined = Object.keys(answer.rooms?.join ?? {}).length
  if (joined !== account.rooms.length) throw new Error(`initial sync shows ${joined} of ${account.rooms.length} rooms`)
  for (const { roomId } of account.rooms) {
    const expected = account.sender.ledger.inRoom(roomId).at(-1)?.eventId
    const found = timelineOf(answer, roomId).at(-1)?.event_id
    if (found !== expected) throw new Error(`the timeline of ${roomId} ends with ${found}, not with ${expected}`)
  }
}
