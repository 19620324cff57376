/** The event closest to a time, in one direction. <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidtimestamp_to_event> */
import type { Homeserver } from '../homeserver.ts'
import { eventsFromTime, eventsUntilTime } from '../storage/event-times.ts'
import type { StoredEvent } from './event-store.ts'

export type Direction = 'f' | 'b'

const EVENTS_PER_READ = 50
/** So many events in a row that the reader may not see, and the search ends. */
const EVENTS_LOOKED_AT_MAX = 1_000

/** `upTo`: the newest position that the reader may see; `visibility` decides on each event. */
export async function closestEvent(
  deps: Pick<Homeserver, 'db' | 'events'>,
  query: { readonly roomNid: number; readonly ts: number; readonly direction: Direction; readonly upTo: number },
  visibility: { mayRead(event: StoredEvent): Promise<boolean> },
): Promise<StoredEvent | undefined> {
  const read = query.direction === 'f' ? eventsFromTime : eventsUntilTime
  // Before or behind every event of that very time.
  let from = { ts: query.ts, position: query.direction === 'f' ? Number.MIN_SAFE_INTEGER : Number.MAX_SAFE_INTEGER }
  for (let looked = 0; looked < EVENTS_LOOKED_AT_MAX; looked += EVENTS_PER_READ) {
    const { roomNid, upTo } = query
    const events = await deps.events.fromRows(await read(deps.db, { roomNid, ...from, upTo, limit: EVENTS_PER_READ }))
    for (const event of events) if (await visibility.mayRead(event)) return event
    const last = events.at(-1)
    if (last === undefined || events.length < EVENTS_PER_READ) return undefined
    from = { ts: last.pdu.originServerTs, position: last.position }
  }
  return undefined
}
