/** Sends text messages of 500 bytes, remembers what was acknowledged, and checks it by reading back. */

import type { Bench } from '../bench.ts'
import { expectAllOnce, Ledger, type Sent } from '../check/ledger.ts'
import { sendMessage, sendPath, wholeTimeline } from '../matrix/rooms.ts'
import type { Session } from '../matrix/session.ts'
import { parseSync, syncRaw } from '../matrix/sync.ts'

const BODY_BYTES = 500
const PADDING = 'The quick brown fox jumps over the lazy dog. '.repeat(12)

export type Target = { readonly session: Session; readonly roomId: string }

export class Sender {
  readonly ledger = new Ledger()
  readonly #paths = new Map<string, string>()
  #count = 0

  /** Answers what was acknowledged. `marker` is a text to find the message by before its id is known. */
  async send({ session, roomId }: Target, marker = ''): Promise<Sent> {
    this.#count += 1
    const txnId = `b${this.#count}`
    const body = `${marker}${txnId} ${PADDING}`.slice(0, BODY_BYTES)
    const startMs = performance.now()
    const eventId = await sendMessage(session, { path: this.#path(roomId), txnId, body })
    const sent = { roomId, eventId, startMs, endMs: performance.now() }
    this.ledger.add(sent)
    return sent
  }

  async check(bench: Bench, reader: (roomId: string) => Session): Promise<void> {
    const rooms = this.ledger.rooms()
    const progress = bench.progress.counter('reading back rooms', rooms.length)
    for (const roomId of rooms) {
      expectAllOnce('sends', this.ledger.inRoom(roomId), await wholeTimeline(reader(roomId), roomId))
      progress.add()
    }
  }

  #path(roomId: string): string {
    let path = this.#paths.get(roomId)
    if (path === undefined) this.#paths.set(roomId, (path = sendPath(roomId)))
    return path
  }
}

/** One measured span per number in flight, then the check of all of them. */
export async function measureSends(bench: Bench, workload: string, targets: readonly Target[]): Promise<void> {
  const sender = new Sender()
  const { operationsMax, inFlight } = bench.scale.sends
  const target = (index: number) => targets[index % targets.length]!
  for (let index = 0; index < Math.max(20, targets.length); index += 1) await sender.send(target(index))
  for (const count of inFlight) {
    const span = { workload, variant: `${count} in flight`, inFlight: count, operationsMax, writes: true }
    await bench.measure(span, async (_, index) => void (await sender.send(target(index))))
  }
  const readers = new Map(targets.map(({ session, roomId }) => [roomId, session]))
  await sender.check(bench, (roomId) => readers.get(roomId)!)
  await tellEventBytes(bench, targets[0]!)
}

/** The size of a message as servers exchange it, against which the growth of the database can be held. */
async function tellEventBytes(bench: Bench, { session, roomId }: Target): Promise<void> {
  const filter = { event_format: 'federation', room: { rooms: [roomId], timeline: { limit: 10 } } }
  const answer = parseSync(await syncRaw(session, { filter }))
  const events = answer.rooms?.join?.[roomId]?.timeline?.events ?? []
  const sizes = events.filter((event) => event.type === 'm.room.message' && 'hashes' in event).map(federationBytes)
  if (sizes.length === 0) return
  bench.fact('message event (federation JSON)', sizes.reduce((sum, size) => sum + size, 0) / sizes.length, 'bytes')
}

function federationBytes(event: object): number {
  const { unsigned: _, event_id: __, ...pdu } = event as { unsigned?: unknown; event_id?: unknown }
  return Buffer.byteLength(JSON.stringify(pdu))
}
