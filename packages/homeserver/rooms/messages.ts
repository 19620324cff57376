/** Pages of a room's timeline, in either direction. <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3roomsroomidmessages> */
import type { RoomEventFilter } from '@holdfast/protocol/filter/filter'
import { passesRoomEventFilter } from '@holdfast/protocol/filter/match'
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { EVENT_FLAGS, timelineBackwards, timelineForwards } from '../storage/events.ts'
import type { StoredEvent } from './event-store.ts'
import { fillGapBefore } from './receive/fill-gap.ts'
import { eventVisibility } from './visible-events.ts'

export type PageQuery = {
  readonly direction: 'b' | 'f'
  /** Backwards: events at or before it; forwards: events after it. */
  readonly from: number
  /** Where to stop at the latest; undefined: the room's beginning, or the end of what the user may see. */
  readonly to: number | undefined
  readonly limit: number
  readonly filter: RoomEventFilter
  readonly ignored: ReadonlySet<UserId>
}

export type Page = {
  /** In the direction of the page. */
  readonly events: readonly StoredEvent[]
  /** Where the next page begins; undefined: there is nothing more. */
  readonly next: number | undefined
  /** Where this page ends. */
  readonly end: number
}

/** What may be paged through: a `RoomView`, or a part of one. */
export type PagedRoom = { readonly head: { readonly roomNid: number }; readonly upTo: number }

/** Rows looked at for one page: a filter that lets nothing through must not read a whole room in one request. */
const ROWS_MAX = 2_000
const BATCH_MAX = 200
/** What asking other servers for missing events costs, in rows. */
const ROWS_OF_A_GAP = 500

export async function messagePage(
  deps: Homeserver,
  requester: Requester,
  view: PagedRoom,
  query: PageQuery,
): Promise<Page> {
  const visibility = await eventVisibility(deps, view.head.roomNid, requester)
  const events: StoredEvent[] = []
  let cursor = query.direction === 'b' ? Math.min(query.from, view.upTo) : query.from
  let rowsLeft = ROWS_MAX
  // Where something is missing right before the page, other servers may have it.
  if (query.direction === 'b') await fillGapBefore(deps, { roomNid: view.head.roomNid, position: cursor })
  pages: while (events.length < query.limit && rowsLeft > 0) {
    const batch = Math.min(BATCH_MAX, rowsLeft, query.limit - events.length)
    const rows = await readRows(deps, view, { ...query, cursor, batch })
    for (const event of await deps.events.fromRows(rows)) {
      cursor = query.direction === 'b' ? event.position - 1 : event.position
      if (passes(query, event) && (await visibility.mayRead(event))) events.push(event)
      const isGap = query.direction === 'b' && (event.flags & EVENT_FLAGS.gap) !== 0
      if (!isGap || events.length === query.limit) continue
      rowsLeft -= ROWS_OF_A_GAP
      if (rowsLeft > 0 && (await fillGapBefore(deps, { roomNid: view.head.roomNid, position: cursor }))) continue pages
      // The next page begins with what is missing here.
      if (events.length > 0) return { events, next: cursor, end: cursor }
    }
    if (rows.length < batch) return { events, next: undefined, end: cursor }
    rowsLeft -= rows.length
  }
  return { events, next: cursor, end: cursor }
}

function readRows(
  deps: Homeserver,
  { head, upTo }: PagedRoom,
  { direction, cursor, batch, to }: PageQuery & { readonly cursor: number; readonly batch: number },
): ReturnType<typeof timelineBackwards> {
  const { roomNid } = head
  if (direction === 'b') {
    return timelineBackwards(deps.db, { roomNid, after: to ?? Number.MIN_SAFE_INTEGER, upTo: cursor, limit: batch })
  }
  return timelineForwards(deps.db, { roomNid, after: cursor, upTo: Math.min(to ?? upTo, upTo), limit: batch })
}

function passes({ filter, ignored }: PageQuery, { pdu }: StoredEvent): boolean {
  if (pdu.stateKey === undefined && ignored.has(pdu.sender)) return false
  return passesRoomEventFilter(filter, pdu)
}
