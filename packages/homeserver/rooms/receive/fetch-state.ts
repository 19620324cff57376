/** The state of the room after an event that is not here, as other servers tell it. */
import type { EventId, ServerName } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { Pdu } from '@holdfast/protocol/event/pdu'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { stateMapGet, stateMapOf, type StateMap } from '@holdfast/protocol/state/state-map'
import { FederationFailed } from '../../federation/transport/federation-failed.ts'
import { askEvent, askState } from '../../federation/remote-rooms/ask.ts'
import { CREATE_KEY } from './batch-states.ts'
import { askingOf, checked, type FetchDeps, type FetchFrom, holding } from './fetch-missing.ts'
import { isRejected, knownEvents, type KnownEvent } from './known-events.ts'
import { storeOutliers } from './store-outliers.ts'
import { toldState } from './told-state.ts'

/** Events fetched one by one; more of them are fetched as a whole state. */
const SINGLE_EVENTS_MAX = 50
const SINGLE_EVENTS_AT_ONCE = 8
/** Keys of a server that has been away for longer are not waited for: it may never come back. */
const AWAY_MS_MAX = 3_600_000

/**
 * Events that are not sound, or that their own auth events do not allow, are not part of it. undefined: what was told is no state
 * of this room, or cannot be verified just now.
 */
export async function fetchStateAfter(
  deps: FetchDeps,
  from: FetchFrom,
  eventId: EventId,
): Promise<StateMap | undefined> {
  const { roomNid } = from.room
  const { server, state, authChain } = await toldState(deps, from, eventId)
  const wanted = [...state, ...authChain, eventId]
  let known = await knownEvents(deps.db, roomNid, wanted)
  const missing = wanted.filter((id) => !known.has(id))
  if (missing.length > 0) {
    const unverified = await fetchEvents(deps, { ...from, server }, { eventIds: missing, stateAt: eventId })
    // It would be missing from the state after it, and what follows it would be judged without it, for good. A message changes none.
    const isMissing = unverified.get(eventId)?.stateKey !== undefined
    if (isMissing || (await isBackSoon(deps, unverified.values()))) return undefined
    known = await knownEvents(deps.db, roomNid, wanted)
  }
  const map = stateMapOf([...state, eventId].flatMap((id) => entryOf(known.get(id))))
  const createKeyNid = await deps.dictionary.stateKeyNid(CREATE_KEY)
  return createKeyNid === undefined || stateMapGet(map, createKeyNid) === undefined ? undefined : map
}

function entryOf(event: KnownEvent | undefined): readonly (readonly [number, number])[] {
  if (event?.stateKeyNid === undefined || isRejected(event)) return []
  return [[event.stateKeyNid, event.nid]]
}

/**
 * Whether a server has been away for a short time only whose keys would verify one of the events. Without that event we would
 * judge what follows otherwise than all who have the keys; so it is better to have no state for now.
 */
async function isBackSoon({ federation, clock }: FetchDeps, events: Iterable<Pdu>): Promise<boolean> {
  const servers = new Set<ServerName>()
  for (const { sender } of events) servers.add(serverNameOf(sender))
  for (const server of servers) {
    const state = await federation.destinations.state(server)
    if (state.kind !== 'up' && clock.nowMs() - state.sinceMs < AWAY_MS_MAX) return true
  }
  return false
}

/**
 * Fetches events one by one, or with the whole state where that is less work for both sides, and stores them as outliers.
 * @returns those that cannot be verified now
 */
async function fetchEvents(
  deps: FetchDeps,
  from: FetchFrom,
  { eventIds, stateAt }: { readonly eventIds: readonly EventId[]; readonly stateAt: EventId },
): Promise<ReadonlyMap<EventId, Pdu>> {
  const asking = askingOf(deps, from)
  const singles = eventIds.length <= SINGLE_EVENTS_MAX ? eventIds : [stateAt]
  const values = [...(await singleEvents(deps, from, singles))]
  if (singles !== eventIds) {
    const whole = await askState(asking, { roomId: from.room.roomId, eventId: stateAt })
    values.push(...whole.authChain, ...whole.state)
  }
  const wanted = new Set(eventIds)
  const { incoming, unverified } = await checked(deps, from, values)
  const sound = incoming.filter(({ parsed }) => wanted.has(parsed.pdu.eventId))
  await holding(from, () => storeOutliers(deps, from.room, sound))
  return unverified
}

async function singleEvents(
  deps: FetchDeps,
  from: FetchFrom,
  eventIds: readonly EventId[],
): Promise<readonly JsonObject[]> {
  const asking = askingOf(deps, from)
  const values: JsonObject[] = []
  for (let start = 0; start < eventIds.length; start += SINGLE_EVENTS_AT_ONCE) {
    const some = eventIds.slice(start, start + SINGLE_EVENTS_AT_ONCE)
    const answers = await Promise.allSettled(some.map((eventId) => askEvent(asking, eventId)))
    for (const answer of answers) {
      if (answer.status === 'fulfilled' && answer.value !== undefined) values.push(answer.value)
      // A state with holes would have us reject what others accept, for good: better to have none for now.
      if (answer.status === 'rejected' && !isRefusal(answer.reason)) throw answer.reason
    }
  }
  return values
}

/** The server answered, and does not have it. */
function isRefusal(error: unknown): boolean {
  return error instanceof FederationFailed && error.failure === 'matrix-error' && (error.status ?? 500) < 429
}
