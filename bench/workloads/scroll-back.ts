/** Pages of /messages backwards through a room's history. */

import type { Bench, Workload } from '../bench.ts'
import { expectAllOnce } from '../check/ledger.ts'
import { createRoom, messagesPage, wholeTimeline } from '../matrix/rooms.ts'
import { prepare } from './prepare.ts'
import { Sender } from './sending.ts'

export const scrollBack: Workload = {
  name: 'scroll-back',
  describes: 'pages of 50 events of /messages, backwards through a room of 1,000 messages',
  run,
}

const IN_FLIGHT = [1, 10]

async function run(bench: Bench): Promise<void> {
  const { messages, pageLimit: limit, pagesMax } = bench.scale.scrollBack
  const session = await bench.accounts.create('reader')
  const roomId = await createRoom(session)
  const sender = new Sender()
  await prepare(
    bench,
    'messages to scroll through',
    messages,
    async () => void (await sender.send({ session, roomId })),
  )
  for (const inFlight of IN_FLIGHT) {
    const cursors: (string | undefined)[] = []
    const variant = `${inFlight} in flight`
    await bench.measure({ workload: scrollBack.name, variant, inFlight, operationsMax: pagesMax }, async (worker) => {
      const from = cursors[worker]
      const page = await messagesPage(session, roomId, from === undefined ? { limit } : { from, limit })
      cursors[worker] = page.chunk.length < limit ? undefined : page.end
    })
  }
  expectAllOnce('scroll-back', sender.ledger.inRoom(roomId), await wholeTimeline(session, roomId, limit))
}
