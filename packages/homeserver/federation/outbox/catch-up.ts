/** What a server owes hearing of after it was away, read from storage. */
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { Database } from '@holdfast/platform/database/database'
import type { OutgoingEventRow } from '../../storage/federation-rooms.ts'
import * as storage from '../../storage/outbox.ts'
import type { OwedEvent, TakenEvents } from './lane.ts'
import { OUTBOX_LIMITS } from './limits.ts'
import { departedServers } from './route-event.ts'

type Range = { readonly after: number; readonly upTo: number }

/**
 * The next events for a server that has heard of those up to `after`. After a short absence these are all that it missed,
 * otherwise the newest of each room that it is in, from which it finds the others itself.
 */
export async function missedEvents(
  db: Pick<Database, 'heavy'>,
  server: ServerName,
  { after, upTo }: Range,
): Promise<TakenEvents> {
  const { departuresReadMax, replayedMax } = OUTBOX_LIMITS
  const departures = await storage.departures(db.heavy, { after, upTo, limit: departuresReadMax })
  const isCut = departures.length === departuresReadMax
  const owed = { serverName: server, after, upTo: isCut ? departures.at(-1)!.position : upTo }
  const farewells = departures.filter(({ departed }) => departedServers(departed).includes(server))
  const before = await eventsBefore(db, farewells, after)
  const all = merged(await storage.owedEvents(db.heavy, { ...owed, limit: replayedMax + 1 }), [...before, ...farewells])
  const rows =
    all.length <= replayedMax
      ? all
      : merged(await storage.newestOwedEvents(db.heavy, { ...owed, limit: replayedMax + 1 }), farewells)
  const events = rows.slice(0, replayedMax).map(owedEvent)
  const through = rows.length > replayedMax ? events.at(-1)!.position : owed.upTo
  return { events, gap: { through, upTo } }
}

/** What came in a room before a server was taken out of it: without it the server may not believe the end. */
async function eventsBefore(
  db: Pick<Database, 'heavy'>,
  farewells: readonly OutgoingEventRow[],
  after: number,
): Promise<readonly OutgoingEventRow[]> {
  const { replayedMax } = OUTBOX_LIMITS
  const before: OutgoingEventRow[] = []
  for (const { room_nid: roomNid, position } of farewells) {
    if (before.length > replayedMax) break
    before.push(
      ...(await storage.outgoingEventsOfRoom(db.heavy, { roomNid, after, below: position, limit: replayedMax })),
    )
  }
  return before
}

function merged(rows: readonly OutgoingEventRow[], others: readonly OutgoingEventRow[]): readonly OutgoingEventRow[] {
  const byPosition = new Map([...rows, ...others].map((row) => [row.position, row]))
  return [...byPosition.values()].toSorted((a, b) => a.position - b.position)
}

function owedEvent(row: OutgoingEventRow): OwedEvent {
  return { position: row.position, roomNid: row.room_nid, eventNid: row.event_nid, isOld: true }
}
