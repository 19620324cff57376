/** The newest events of a room in a range, as far as the reader may see them and the filter lets them through. */
import { passesRoomEventFilter } from '@holdfast/protocol/filter/match'
import type { RoomEventFilter } from '@holdfast/protocol/filter/filter'
import { passesNothing } from '@holdfast/protocol/filter/match'
import { diffStateMaps } from '@holdfast/protocol/state/state-map'
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../homeserver.ts'
import type { StoredEvent } from '../rooms/event-store.ts'
import { eventVisibility, type EventReaderUser } from '../rooms/visible-events.ts'
import { EVENT_FLAGS, timelineBackwards } from '../storage/events.ts'
import { stateAt } from './room-state.ts'

export type Timeline = {
  /** Oldest first. */
  readonly events: readonly StoredEvent[]
  /** There is more in the range, before these. */
  readonly limited: boolean
  /** Where going back in time continues. */
  readonly start: number
  /** What the range made of state without these events showing it, from state key nid to event nid: hidden, or filtered out. */
  readonly unshown: ReadonlyMap<number, number>
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
  /** Whether the reader is given the state before these events, to apply them to, or the one after them. */
  readonly state: 'before' | 'after'
}

/** Rows looked at for one timeline; a filter that lets almost nothing through ends here, and the client pages on. */
const ROWS_MAX = 2_000

export async function loadTimeline(deps: Homeserver, query: TimelineQuery): Promise<Timeline> {
  if (query.after >= query.upTo) return { events: [], limited: false, start: query.upTo, unshown: NOTHING }
  if (query.filter.limit === 0) {
    return { events: [], limited: await hasEvents(deps, query), start: query.upTo, unshown: NOTHING }
  }
  if (passesNothing(query.filter)) {
    return { events: [], limited: false, start: query.upTo, unshown: await changedState(deps, query) }
  }
  const visibility = await eventVisibility(deps, query.roomNid, query.reader)
  const collected = new Collected(query)
  const { events, unshown } = collected
  let upTo = query.upTo
  let rowsLeft = ROWS_MAX
  while (rowsLeft > 0) {
    const batch = Math.min(rowsLeft, query.limit - events.length + 1)
    const rows = await timelineBackwards(deps.db, { roomNid: query.roomNid, after: query.after, upTo, limit: batch })
    for (const event of await deps.events.fromRows(rows)) {
      if (!passes(query, event) || !(await visibility.mayRead(event))) collected.leaveOut(event)
      else if (!collected.take(event))
        return { events: events.reverse(), limited: true, start: event.position, unshown }
      // Events before it are missing here: the client gets them, and we, when it goes back.
      if ((event.flags & EVENT_FLAGS.gap) !== 0)
        return { events: events.reverse(), limited: true, start: event.position - 1, unshown }
      upTo = event.position - 1
    }
    if (rows.length < batch) {
      return { events: events.reverse(), limited: false, start: startOf(events, query.after), unshown }
    }
    rowsLeft -= rows.length
  }
  return { events: events.reverse(), limited: true, start: upTo, unshown }
}

const NOTHING: ReadonlyMap<number, number> = new Map()

/** A timeline as it is gathered, newest event first. */
class Collected {
  readonly events: StoredEvent[] = []
  readonly unshown = new Map<number, number>()
  readonly #query: TimelineQuery
  readonly #settled = new Set<number>()
  constructor(query: TimelineQuery) {
    this.#query = query
  }

  leaveOut({ nid, stateKeyNid }: StoredEvent): void {
    if (stateKeyNid === undefined || this.#settled.has(stateKeyNid) || this.unshown.has(stateKeyNid)) return
    this.unshown.set(stateKeyNid, nid)
  }

  /**
   * Whether the event is taken. The timeline ends where it is full, and where an event would undo what was left out
   * after it, as the client would apply it to a state that has that already.
   */
  take(event: StoredEvent): boolean {
    if (this.events.length === this.#query.limit) return false
    if (event.stateKeyNid !== undefined) {
      if (this.#query.state === 'before' && this.unshown.has(event.stateKeyNid)) return false
      this.#settled.add(event.stateKeyNid)
    }
    this.events.push(event)
    return true
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

/** What a range made of the state, where none of its events can be shown; from the beginning the client gets the whole state. */
async function changedState(
  deps: Homeserver,
  { roomNid, after, upTo }: TimelineQuery,
): Promise<ReadonlyMap<number, number>> {
  if (after === Number.MIN_SAFE_INTEGER) return NOTHING
  const changes = diffStateMaps(await stateAt(deps, roomNid, after), await stateAt(deps, roomNid, upTo))
  return new Map(changes.flatMap(({ key, after: nid }) => (nid === undefined ? [] : [[key, nid] as const])))
}

function passes({ filter, ignored }: TimelineQuery, { pdu }: StoredEvent): boolean {
  // State stays: without it the client would see another room than everybody else.
  if (pdu.stateKey === undefined && ignored.has(pdu.sender)) return false
  return passesRoomEventFilter(filter, pdu)
}
