/** Gets from another server what an event builds on and is not here. Every walk has a bound. */
import type { EventId, ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { stateMapOf, type StateMap } from '@holdfast/protocol/state/state-map'
import { FederationFailed } from '../../federation/transport/federation-failed.ts'
import type { EventSignaturesDeps } from '../../federation/keys/event-signatures.ts'
import {
  askEvent,
  askEventAuth,
  askMissingEvents,
  askState,
  askStateIds,
  type Asking,
} from '../../federation/remote-rooms/ask.ts'
import type { Homeserver } from '../../homeserver.ts'
import type { AcceptedRoom } from './accept-events.ts'
import { checkIncoming } from './check-incoming.ts'
import type { IncomingEvent } from './incoming.ts'
import { isRejected, knownEvents, type KnownEvent } from './known-events.ts'
import { storeOutliers, type OutlierDeps } from './store-outliers.ts'

export type FetchDeps = OutlierDeps & EventSignaturesDeps & Pick<Homeserver, 'federation'>

/** Whom to ask, about which room. */
export type FetchFrom = {
  readonly server: ServerName
  readonly room: AcceptedRoom
  readonly signal: AbortSignal
}

/** Events asked for to close one gap. */
const GAP_EVENTS_MAX = 20
/** Events fetched one by one; more of them are fetched as a whole state. */
const SINGLE_EVENTS_MAX = 50
const SINGLE_EVENTS_AT_ONCE = 8

/** The events between what is here and `latest`, checked; in no particular order. */
export async function fetchGap(
  deps: FetchDeps,
  from: FetchFrom,
  gap: { readonly earliest: readonly EventId[]; readonly latest: EventId; readonly minDepth: number },
): Promise<readonly IncomingEvent[]> {
  const { earliest, latest, minDepth } = gap
  const limits = { limit: GAP_EVENTS_MAX, minDepth }
  const values = await askMissingEvents(askingOf(deps, from), {
    roomId: from.room.roomId,
    earliest,
    latest: [latest],
    ...limits,
  })
  return checked(deps, from, values)
}

/** Stores what authorises an event, as outliers. */
export async function fetchAuthEvents(deps: FetchDeps, from: FetchFrom, eventId: EventId): Promise<void> {
  const values = await askEventAuth(askingOf(deps, from), { roomId: from.room.roomId, eventId })
  await storeOutliers(deps, from.room, await checked(deps, from, values))
}

/**
 * The state after an event that is not here, as the other server tells it: events that are not sound, or that their own auth
 * events do not allow, are not part of it. undefined: what it told is no state of this room.
 */
export async function fetchStateAfter(
  deps: FetchDeps,
  from: FetchFrom,
  eventId: EventId,
): Promise<StateMap | undefined> {
  const { roomId, roomNid } = from.room
  const asking = askingOf(deps, from)
  const { state, authChain } = await askStateIds(asking, { roomId, eventId })
  const wanted = [...state, ...authChain, eventId]
  let known = await knownEvents(deps.db, roomNid, wanted)
  const missing = wanted.filter((id) => !known.has(id))
  if (missing.length > 0) {
    const unverified = await fetchEvents(deps, from, { eventIds: missing, stateAt: eventId })
    // The event itself would be missing from the state after it, and what follows it would be judged without it, for good.
    if (unverified.has(eventId)) return undefined
    known = await knownEvents(deps.db, roomNid, wanted)
  }
  const entries = [...state, eventId].flatMap((id) => entryOf(known.get(id)))
  return entries.length === 0 ? undefined : stateMapOf(entries)
}

function entryOf(event: KnownEvent | undefined): readonly (readonly [number, number])[] {
  if (event?.stateKeyNid === undefined || isRejected(event)) return []
  return [[event.stateKeyNid, event.nid]]
}

/**
 * Fetches events one by one, or with the whole state where that is less work for both sides, and stores them as outliers.
 * @returns those that cannot be verified now
 */
async function fetchEvents(
  deps: FetchDeps,
  from: FetchFrom,
  { eventIds, stateAt }: { readonly eventIds: readonly EventId[]; readonly stateAt: EventId },
): Promise<ReadonlySet<EventId>> {
  const asking = askingOf(deps, from)
  const values: JsonObject[] = []
  const singles = eventIds.length <= SINGLE_EVENTS_MAX ? eventIds : [stateAt]
  for (let start = 0; start < singles.length; start += SINGLE_EVENTS_AT_ONCE) {
    const some = singles.slice(start, start + SINGLE_EVENTS_AT_ONCE)
    const answers = await Promise.allSettled(some.map((eventId) => askEvent(asking, eventId)))
    for (const answer of answers) {
      if (answer.status === 'fulfilled' && answer.value !== undefined) values.push(answer.value)
      // A state with holes would have us reject what others accept, for good: better to have none for now.
      if (answer.status === 'rejected' && !isRefusal(answer.reason)) throw answer.reason
    }
  }
  if (singles !== eventIds) {
    const whole = await askState(asking, { roomId: from.room.roomId, eventId: stateAt })
    values.push(...whole.authChain, ...whole.state)
  }
  const wanted = new Set(eventIds)
  const { incoming, unverified } = await checkIncoming(deps, from.room, {
    values: values.map((value) => ({ value })),
    signal: from.signal,
  })
  await storeOutliers(
    deps,
    from.room,
    incoming.filter(({ parsed }) => wanted.has(parsed.pdu.eventId)),
  )
  return unverified
}

/** The server answered, and does not have it. */
function isRefusal(error: unknown): boolean {
  return error instanceof FederationFailed && error.failure === 'matrix-error' && (error.status ?? 500) < 429
}

async function checked(
  deps: FetchDeps,
  { room, signal }: FetchFrom,
  values: readonly JsonObject[],
): Promise<readonly IncomingEvent[]> {
  return (await checkIncoming(deps, room, { values: values.map((value) => ({ value })), signal })).incoming
}

function askingOf({ federation }: FetchDeps, { server, signal }: FetchFrom): Asking {
  return { client: federation.client, server, signal }
}
