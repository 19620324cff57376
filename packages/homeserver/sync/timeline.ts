/** The newest events of a room in a range, as far as the reader may see them and the filter lets them through. */
import { passesRoomEventFilter } from '@holdfast/protocol/filter/match'
import type { RoomEventFilter } from '@holdfast/protocol/filter/filter'
import { passesNothing } from '@holdfast/protocol/filter/match'
import { stateMapGet, type StateMap } from '@holdfast/protocol/state/state-map'
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../homeserver.ts'
import type { StoredEvent } from '../rooms/event-store.ts'
import { eventVisibility, type EventReaderUser } from '../rooms/visible-events.ts'
import { EVENT_FLAGS, timelineBackwards } from '../storage/events.ts'

export type Timeline = {
  /** Oldest first. */
  readonly events: readonly StoredEvent[]
  /** There is more in the range, before these. */
  readonly limited: boolean
  /** Where going back in time continues. */
  readonly start: number
}

export type TimelineQuery = {
  readonly roomNid: number
  readonly reader: EventReaderUser
  readonly ignored: ReadonlySet<UserId>
  /** Exclusive. */
  readonly after: number
  /** Inclusive. */
  readonly upTo: number
  readonly limit: number
  readonly filter: RoomEventFilter
  /** The state at the end of the range, if the reader is to have it by applying these events, and no other ones after them. */
  readonly leadingTo: StateMap | undefined
}

/** Rows looked at for one timeline; a filter that lets almost nothing through ends here, and the client pages on. */
const ROWS_MAX = 2_000

export async function loadTimeline(deps: Homeserver, query: TimelineQuery): Promise<Timeline> {
  if (query.after >= query.upTo) return { events: [], limited: false, start: query.upTo }
  if (query.filter.limit === 0) return { events: [], limited: await hasEvents(deps, query), start: query.upTo }
  if (passesNothing(query.filter)) return { events: [], limited: false, start: query.upTo }
  const visibility = await eventVisibility(deps, query.roomNid, query.reader)
  const events: StoredEvent[] = []
  const isEnd = endOfTimeline(query)
  let upTo = query.upTo
  let rowsLeft = ROWS_MAX
  while (rowsLeft > 0) {
    const batch = Math.min(rowsLeft, query.limit - events.length + 1)
    const rows = await timelineBackwards(deps.db, { roomNid: query.roomNid, after: query.after, upTo, limit: batch })
    for (const event of await deps.events.fromRows(rows)) {
      if (passes(query, event) && (await visibility.mayRead(event))) {
        if (isEnd(event, events)) return { events: events.reverse(), limited: true, start: event.position }
        events.push(event)
      }
      // Events before it are missing here: the client gets them, and we, when it goes back.
      if ((event.flags & EVENT_FLAGS.gap) !== 0)
        return { events: events.reverse(), limited: true, start: event.position - 1 }
      upTo = event.position - 1
    }
    if (rows.length < batch) {
      return { events: events.reverse(), limited: false, start: startOf(events, query.after) }
    }
    rowsLeft -= rows.length
  }
  return { events: events.reverse(), limited: true, start: upTo }
}

/**
 * Whether the timeline, as it is gathered backwards, has to end before an event: where it is full, and where the reader who
 * applies the event would have another state in the end, because it was undone out of their sight or lost to one on another
 * branch. <https://spec.matrix.org/v1.19/client-server-api/#syncing>
 */
function endOfTimeline({
  limit,
  leadingTo,
}: TimelineQuery): (event: StoredEvent, taken: readonly StoredEvent[]) => boolean {
  const settled = new Set<number>()
  return ({ nid, stateKeyNid }, taken) => {
    if (taken.length === limit) return true
    if (stateKeyNid === undefined || leadingTo === undefined || settled.has(stateKeyNid)) return false
    settled.add(stateKeyNid)
    return stateMapGet(leadingTo, stateKeyNid) !== nid
  }
}

/** The position right before the first event (`events` is oldest first by now), or the range's own start. */
function startOf(events: readonly StoredEvent[], after: number): number {
  return events.length === 0 ? after : events[0]!.position - 1
}

async function hasEvents(deps: Homeserver, query: TimelineQuery): Promise<boolean> {
  const { roomNid, after, upTo } = query
  return (await timelineBackwards(deps.db, { roomNid, after, upTo, limit: 1 })).length > 0
}

function passes({ filter, ignored }: TimelineQuery, { pdu }: StoredEvent): boolean {
  // State stays: without it the client would see another room than everybody else.
  if (pdu.stateKey === undefined && ignored.has(pdu.sender)) return false
  return passesRoomEventFilter(filter, pdu)
}
