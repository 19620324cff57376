/** Sends text messages of 500 bytes, remembers what was acknowledged, and checks it by reading back. */

import { randomBytes } from 'node:crypto'
import type { Bench } from '../bench.ts'
import { expectAllOnce, Ledger, type Sent } from '../check/ledger.ts'
import { sendMessage, sendPath, wholeTimeline } from '../matrix/rooms.ts'
import type { Session } from '../matrix/session.ts'
import { parseSync, syncRaw, timelineOf } from '../matrix/sync.ts'
import type { Row } from '../measure/meter.ts'

const BODY_BYTES = 500
const PADDING = 'The quick brown fox jumps over the lazy dog. '.repeat(12)

export type Target = { readonly session: Session; readonly roomId: string }

export class Sender {
  readonly ledger = new Ledger()
  readonly #paths = new Map<string, string>()
  /** Two senders may use the same session: their transaction ids must differ. */
  readonly #id = randomBytes(4).toString('hex')
  #count = 0

  /** Answers what was acknowledged. `marker` is a text to find the message by before its id is known. */
  async send({ session, roomId }: Target, marker = ''): Promise<Sent> {
    this.#count += 1
    const txnId = `${this.#id}.${this.#count}`
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
  const rows: Row[] = []
  for (const count of inFlight) {
    const span = { workload, variant: `${count} in flight`, inFlight: count, operationsMax, writes: true }
    rows.push(await bench.measure(span, async (_, index) => void (await sender.send(target(index)))))
  }
  const readers = new Map(targets.map(({ session, roomId }) => [roomId, session]))
  await sender.check(bench, (roomId) => readers.get(roomId)!)
  await tellEventBytes(bench, { workload, target: targets[0]!, rows })
}

type Told = { readonly workload: string; readonly target: Target; readonly rows: readonly Row[] }

/** The size of a message as servers exchange it, and the growth of the database held against it. */
async function tellEventBytes(bench: Bench, { workload, target, rows }: Told): Promise<void> {
  const { session, roomId } = target
  const filter = { event_format: 'federation', room: { rooms: [roomId], timeline: { limit: 50 } } }
  const events = timelineOf(parseSync(await syncRaw(session, { filter })), roomId)
  const sizes = events.filter((event) => event.type === 'm.room.message' && 'hashes' in event).map(federationBytes)
  if (sizes.length === 0) return
  const eventBytes = sizes.reduce((sum, size) => sum + size, 0) / sizes.length
  bench.fact(`${workload}: message event as federation JSON`, eventBytes, 'bytes')
  const operations = rows.reduce((sum, row) => sum + row.operations, 0)
  const growth = rows.reduce((sum, row) => sum + row.operations * (row.databaseBytesPerOperation ?? Number.NaN), 0)
  if (Number.isFinite(growth))
    bench.fact(`${workload}: database per byte of event`, growth / operations / eventBytes, 'bytes')
}

function federationBytes(event: object): number {
  const { unsigned: _, event_id: __, ...pdu } = event as { unsigned?: unknown; event_id?: unknown }
  return Buffer.byteLength(JSON.stringify(pdu))
}
