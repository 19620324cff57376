/**
 * The event closest to a time, also where the history here has a gap that could hold a closer one: then other servers are asked,
 * and their word counts once the event itself is here and the reader may see it.
 */
import type { EventId, ServerName } from '@holdfast/protocol/ids/brand'
import { askClosestEvent } from '../federation/remote-rooms/ask.ts'
import { EVENT_FLAGS, HIDDEN_FLAGS, neighbourEvent, NOWHERE } from '../storage/events.ts'
import { closestEvent, type Direction } from './event-at-time.ts'
import type { StoredEvent } from './event-store.ts'
import { fetchPastEvent } from './receive/fetch-past-event.ts'
import { serversWith, type FillDeps } from './receive/fill-gap.ts'
import { isResident, type RoomHead } from './room-heads.ts'
import type { EventVisibility } from './visible-events.ts'

export type TimeSearch = {
  readonly roomNid: number
  readonly ts: number
  readonly direction: Direction
  readonly upTo: number
}

type Room = { readonly head: RoomHead; readonly visibility: EventVisibility }

/** A user waits. */
const SEARCH_MS_MAX = 15_000
const ASK_MS = 5_000

export async function closestEventAnywhere(
  deps: FillDeps,
  search: TimeSearch,
  room: Room,
): Promise<StoredEvent | undefined> {
  const local = await closestEvent(deps, search, room.visibility)
  const gapNid = isResident(room.head) ? await gapBeside(deps, search, local) : undefined
  if (gapNid === undefined || local?.pdu.originServerTs === search.ts) return local
  const deadline = new AbortController()
  const timer = deps.clock.after(SEARCH_MS_MAX, () => deadline.abort())
  try {
    for (const server of serversWith(room.head.members.servers)) {
      const found = await askedOf(deps, { ...room, server, signal: deadline.signal }, { search, local, gapNid })
      if (found !== undefined) return found
    }
  } finally {
    timer[Symbol.dispose]()
  }
  return local
}

/** The event after the gap in which a closer one may be. undefined: there is none. */
async function gapBeside(
  { db }: FillDeps,
  { roomNid, direction, upTo }: TimeSearch,
  local: StoredEvent | undefined,
): Promise<number | undefined> {
  if (direction === 'f') return local !== undefined && hasGap(local) ? local.nid : undefined
  const after = await neighbourEvent(db, { roomNid, position: local?.position ?? NOWHERE, side: 'after' })
  return after !== undefined && hasGap(after) && after.position <= upTo ? after.event_nid : undefined
}

function hasGap({ flags }: { readonly flags: number }): boolean {
  return (flags & EVENT_FLAGS.gap) !== 0
}

type Asking = Room & { readonly server: ServerName; readonly signal: AbortSignal }

type Found = { readonly search: TimeSearch; readonly local: StoredEvent | undefined; readonly gapNid: number }

async function askedOf(
  deps: FillDeps,
  { head, visibility, server, signal }: Asking,
  { search, local, gapNid }: Found,
): Promise<StoredEvent | undefined> {
  const asking = { client: deps.federation.client, server, signal, urgent: true, deadlineMs: ASK_MS }
  try {
    const told = await askClosestEvent(asking, { roomId: head.roomId, ts: search.ts, direction: search.direction })
    if (told === undefined || !isCloser(told.originServerTs, search, local)) return undefined
    const event = await obtained(deps, { head, server, signal }, { eventId: told.eventId, gapNid })
    // The other server may have said anything; the event is signed.
    if (event === undefined || !isCloser(event.pdu.originServerTs, search, local)) return undefined
    return (await visibility.mayRead(event)) ? event : undefined
  } catch (error) {
    deps.log.info({ room: head.roomId, server, error: (error as Error).message }, 'no closer event was given')
    return undefined
  }
}

async function obtained(
  deps: FillDeps,
  { head, server, signal }: Omit<Asking, 'visibility'>,
  wanted: { readonly eventId: EventId; readonly gapNid: number },
): Promise<StoredEvent | undefined> {
  const known = await deps.events.inRoom(head.roomNid, wanted.eventId)
  const isPlaced = known !== undefined && (known.flags & EVENT_FLAGS.outlier) === 0
  const event = isPlaced ? known : await fetchPastEvent(deps, { server, room: head, signal }, wanted)
  return event === undefined || (event.flags & HIDDEN_FLAGS) !== 0 ? undefined : event
}

/** Beyond the time in the direction of the search, and nearer to it than what is here. */
function isCloser(ts: number, { ts: from, direction }: TimeSearch, local: StoredEvent | undefined): boolean {
  const there = direction === 'f' ? ts - from : from - ts
  if (there < 0) return false
  return local === undefined || there < Math.abs(local.pdu.originServerTs - from)
}
