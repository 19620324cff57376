/** The past of a room from other servers: what lies before an event whose previous events are not here. */
import { LRUCache } from 'lru-cache'
import { upTo } from '@holdfast/platform/cache/up-to'
import type { EventId, ServerName } from '@holdfast/protocol/ids/brand'
import type { StateMap } from '@holdfast/protocol/state/state-map'
import type { Homeserver } from '../../homeserver.ts'
import { askBackfill } from '../../federation/remote-rooms/ask.ts'
import { EVENT_FLAGS, HIDDEN_FLAGS, neighbourEvent } from '../../storage/events.ts'
import type { StoredEvent } from '../event-store.ts'
import { acceptEvents } from './accept-events.ts'
import { checkIncoming } from './check-incoming.ts'
import type { FetchFrom } from './fetch-missing.ts'
import { fetchStateAfter } from './fetch-state.ts'
import type { IncomingEvent } from './incoming.ts'
import { knownEvents } from './known-events.ts'
import { runInTime, type RoomInboxes } from './room-inboxes.ts'
import type { ReceiveDeps } from './receive-pdus.ts'
import { inCitedOrder } from './topological.ts'

const EVENTS_MAX = 100
const SERVERS_MAX = 3
const STATES_MAX = 5
/** Refused events between an event and what is missing before it. */
const REFUSED_BETWEEN_MAX = 100
/** A user waits. */
export const FILL_MS_MAX = 20_000
/** A gap that nobody could fill is not asked for again before that. */
const RETRY_MS = 60_000

/** When each gap was tried last, for each homeserver in this process, by the nid of the event after it. Only a cache: forgetting one costs a request. */
const triedGaps = new WeakMap<RoomInboxes, LRUCache<number, number>>()
const TRIED_MAX = 10_000

function triedIn({ inboxes }: FillDeps): LRUCache<number, number> {
  const tried = triedGaps.get(inboxes) ?? new LRUCache<number, number>(upTo(TRIED_MAX))
  triedGaps.set(inboxes, tried)
  return tried
}

export type FillDeps = ReceiveDeps & Pick<Homeserver, 'heads' | 'incompleteRooms'>

/**
 * Fetches what lies right before a position of the room's timeline, if that is not here. While the room is busy with a join the
 * reader gets what is here: a page with a gap is better than none.
 * @returns whether anything came
 */
export async function fillGapBefore(
  deps: FillDeps,
  at: { readonly roomNid: number; readonly position: number },
): Promise<boolean> {
  await deps.incompleteRooms.whole(at.roomNid)
  const after = await neighbourEvent(deps.db, { ...at, side: 'after' })
  if (after === undefined || (after.flags & EVENT_FLAGS.gap) === 0) return false
  const triedMs = triedIn(deps)
  const nowMs = deps.clock.monotonicMs()
  if (nowMs - (triedMs.get(after.event_nid) ?? -RETRY_MS) < RETRY_MS) return false
  triedMs.set(after.event_nid, nowMs)
  const { roomId } = await deps.events.room(at.roomNid)
  const turn = { roomId, waitMsMax: FILL_MS_MAX }
  const came = await runInTime(deps.inboxes, turn, () => fillGap(deps, at.roomNid, after.event_nid))
  if (came !== false) triedMs.delete(after.event_nid)
  return came === true
}

async function fillGap(deps: FillDeps, roomNid: number, eventNid: number): Promise<boolean> {
  const event = await deps.events.byNid(eventNid)
  if (event === undefined || (event.flags & EVENT_FLAGS.gap) === 0) return event !== undefined
  const head = await deps.heads.byNid(roomNid)
  const before = await neighbourEvent(deps.db, { roomNid, position: event.position, side: 'before' })
  const free = before === undefined ? EVENTS_MAX : event.position - before.position - 1
  if (free <= 0) return false
  const deadline = new AbortController()
  const timer = deps.clock.after(FILL_MS_MAX, () => deadline.abort())
  try {
    for (const server of serversWith(head.members.servers)) {
      const from = { server, room: head, signal: deadline.signal }
      if (await fillFrom(deps, from, { event, limit: Math.min(free, EVENTS_MAX) })) return true
    }
    return false
  } finally {
    timer[Symbol.dispose]()
  }
}

export function serversWith(servers: ReadonlyMap<ServerName, number>): readonly ServerName[] {
  return [...servers]
    .sort(([, a], [, b]) => b - a)
    .map(([server]) => server)
    .slice(0, SERVERS_MAX)
}

async function fillFrom(
  deps: FillDeps,
  from: FetchFrom,
  { event, limit }: { readonly event: StoredEvent; readonly limit: number },
): Promise<boolean> {
  const { room, server, signal } = from
  try {
    const missing = await missingBefore(deps, from.room, event)
    if (missing.length === 0) return false
    const asking = { client: deps.federation.client, server, signal, urgent: true }
    const values = await askBackfill(asking, { roomId: room.roomId, eventIds: missing, limit })
    const { incoming } = await checkIncoming(deps, room, { values: values.map((value) => ({ value })), signal })
    const stops = await placed(deps, from, incoming)
    const past = connected(incoming, missing, stops).slice(0, limit)
    if (past.length === 0) return false
    const statesAfter = await statesBefore(deps, from, past)
    const arrivals = past.toReversed().map((one) => ({ incoming: one, statesAfter }))
    const gap = { position: event.position, eventNid: event.nid }
    const outcomes = await acceptEvents(deps, room, { arrivals, time: 'past', gap })
    return outcomes.some(({ outcome }) => outcome === 'accepted')
  } catch (error) {
    deps.log.info({ room: room.roomId, server, error: (error as Error).message }, 'the past of a room was not given')
    return false
  }
}

/** What an event follows and is not here, also by way of refused events, which nobody sees. */
async function missingBefore(
  deps: FillDeps,
  room: { readonly roomNid: number },
  event: StoredEvent,
): Promise<readonly EventId[]> {
  const missing = new Set<EventId>()
  let wave = event.pdu.prevEvents
  for (let walked = 0; wave.length > 0 && walked < REFUSED_BETWEEN_MAX; walked += wave.length) {
    const known = await knownEvents(deps.db, room.roomNid, wave)
    const refused: number[] = []
    for (const eventId of wave) {
      const here = known.get(eventId)
      if (here === undefined || here.stateNid === 0) missing.add(eventId)
      else if ((here.flags & HIDDEN_FLAGS) !== 0) refused.push(here.nid)
    }
    const events = await deps.events.byNids(refused)
    wave = [...new Set([...events.values()].flatMap(({ pdu }) => pdu.prevEvents))]
  }
  return [...missing]
}

/** Those that have their place already, as events do that were fetched alone. What is before them has its own gap. */
async function placed(
  deps: FillDeps,
  { room }: FetchFrom,
  incoming: readonly IncomingEvent[],
): Promise<ReadonlySet<EventId>> {
  const eventIds = incoming.map(({ parsed }) => parsed.pdu.eventId)
  const without = new Set(await withoutState(deps, room, eventIds))
  return new Set(eventIds.filter((eventId) => !without.has(eventId)))
}

/** Those of the events that lead back from the missing ones as far as the stops, newest first. */
function connected(
  incoming: readonly IncomingEvent[],
  missing: readonly EventId[],
  stops: ReadonlySet<EventId>,
): readonly IncomingEvent[] {
  const ordered = inCitedOrder(incoming, {
    idOf: ({ parsed }) => parsed.pdu.eventId,
    citedBy: ({ parsed }) => parsed.pdu.prevEvents,
  }).toReversed()
  const wanted = new Set(missing)
  return ordered.filter(({ parsed: { pdu } }) => {
    if (!wanted.has(pdu.eventId) || stops.has(pdu.eventId)) return false
    for (const eventId of pdu.prevEvents) wanted.add(eventId)
    return true
  })
}

/** The states after the events before the oldest of these, as the other server tells them. */
export async function statesBefore(
  deps: FillDeps,
  from: FetchFrom,
  past: readonly IncomingEvent[],
): Promise<ReadonlyMap<EventId, StateMap>> {
  const given = new Set(past.map(({ parsed }) => parsed.pdu.eventId))
  const cited = past.flatMap(({ parsed }) => parsed.pdu.prevEvents).filter((eventId) => !given.has(eventId))
  const states = new Map<EventId, StateMap>()
  for (const eventId of (await withoutState(deps, from.room, cited)).slice(0, STATES_MAX)) {
    const state = await fetchStateAfter(deps, from, eventId)
    if (state !== undefined) states.set(eventId, state)
  }
  return states
}

async function withoutState(
  deps: FillDeps,
  room: { readonly roomNid: number },
  eventIds: readonly EventId[],
): Promise<readonly EventId[]> {
  const known = await knownEvents(deps.db, room.roomNid, eventIds)
  return [...new Set(eventIds)].filter((eventId) => (known.get(eventId)?.stateNid ?? 0) === 0)
}
