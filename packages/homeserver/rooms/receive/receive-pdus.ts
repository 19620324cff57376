/** Events of one room that another server sent, from their arrival until each is accepted or refused. */
import type { EventId, ServerName } from '@holdfast/protocol/ids/brand'
import type { StateMap } from '@holdfast/protocol/state/state-map'
import { judgeReceived, partsByPolicy, type JudgeDeps } from '../../federation/policy/judge-received.ts'
import type { Homeserver } from '../../homeserver.ts'
import { gapEventsDeeper } from '../../storage/gap-events.ts'
import type { RoomHead } from '../room-heads.ts'
import { acceptEvents, type AcceptDeps, type AcceptedRoom } from './accept-events.ts'
import { checkIncoming, type ReceivedValue } from './check-incoming.ts'
import { fetchLanes } from './fetch-lanes.ts'
import { fetchAuthEvents, fetchGap, type FetchDeps, type FetchFrom } from './fetch-missing.ts'
import { fetchStateAfter } from './fetch-state.ts'
import type { Acceptance, Arrival, IncomingEvent } from './incoming.ts'
import { inTurnOfOrigin } from './origin-turns.ts'
import { inCitedOrder } from './topological.ts'

export type ReceiveDeps = AcceptDeps & FetchDeps & JudgeDeps & Pick<Homeserver, 'heads' | 'log' | 'inboxes'>

/** What the sender is told about an event: nothing, or what was wrong with it. */
export type PduResult = { readonly error?: string }

/** From the arrival of a batch to its answer; what is still missing then is not accepted. */
const RECEIVE_MS_MAX = 45_000
/** Gaps closed for one batch. */
const GAPS_MAX = 10
/** Previous events of one event whose state is asked for. */
const STATES_MAX = 5
const EARLIEST_MAX = 20

/**
 * Takes the events in; those that fail harm no others. The room's inbox is held to decide on them only: whoever makes us wait for
 * what they build on, or for a key, keeps nobody else from the room.
 * @returns what became of each of the events that are well-formed enough to have an id
 */
export function receivePdus(
  deps: ReceiveDeps,
  { origin, room }: { readonly origin: ServerName; readonly room: AcceptedRoom },
  values: readonly ReceivedValue[],
): Promise<ReadonlyMap<EventId, PduResult>> {
  return inTurnOfOrigin(deps.inboxes, { origin, roomId: room.roomId }, async () => {
    const deadline = new AbortController()
    const timer = deps.clock.after(RECEIVE_MS_MAX, () => deadline.abort())
    try {
      const inInbox: FromSender['inInbox'] = (work) => deps.inboxes.run(room.roomId, work)
      return await receiveFrom(deps, { server: origin, room, signal: deadline.signal, inInbox }, values)
    } finally {
      timer[Symbol.dispose]()
    }
  })
}

type FromSender = FetchFrom & Required<Pick<FetchFrom, 'inInbox'>>

async function receiveFrom(
  deps: ReceiveDeps,
  from: FromSender,
  values: readonly ReceivedValue[],
): Promise<ReadonlyMap<EventId, PduResult>> {
  const { incoming, problems } = await checkIncoming(deps, from.room, { values, signal: from.signal })
  const results = new Map<EventId, PduResult>()
  for (const [eventId, error] of problems) results.set(eventId, { error })
  for (const some of partsByPolicy(ordered(incoming)))
    for (const [eventId, acceptance] of await takeIn(deps, from, some)) results.set(eventId, resultOf(acceptance))
  return results
}

async function takeIn(
  deps: ReceiveDeps,
  from: FromSender,
  incoming: readonly IncomingEvent[],
): Promise<ReadonlyMap<EventId, Acceptance>> {
  const outcomes = new Map<EventId, Acceptance>()
  let gapsLeft = GAPS_MAX
  let waiting: readonly IncomingEvent[] = []
  let missing = await from.inInbox(async () => {
    waiting = ordered(await judgeReceived(deps, from.room, { incoming, signal: from.signal }))
    return acceptUntilMissing(deps, from.room, { waiting, outcomes })
  })
  while (missing !== undefined) {
    const { incoming: lacking } = missing
    waiting = waiting.slice(waiting.indexOf(lacking) + 1)
    if (gapsLeft > 0 && !from.signal.aborted) {
      gapsLeft -= 1
      const close = (): Promise<Acceptance> => closeGap(deps, from, lacking)
      const closed = await fetchLanes(deps).run(from.room.roomId, close, from.signal)
      if (closed !== undefined) outcomes.set(lacking.parsed.pdu.eventId, closed)
    }
    if (waiting.length === 0) break
    missing = await from.inInbox(() => acceptUntilMissing(deps, from.room, { waiting, outcomes }))
  }
  return outcomes
}

type MissingPart = { readonly incoming: IncomingEvent }

/** Accepts in order, up to the first event that lacks something: what follows often builds on that. */
async function acceptUntilMissing(
  deps: ReceiveDeps,
  room: AcceptedRoom,
  { waiting, outcomes }: { readonly waiting: readonly IncomingEvent[]; readonly outcomes: Map<EventId, Acceptance> },
): Promise<MissingPart | undefined> {
  const accepted = await acceptEvents(deps, room, {
    arrivals: waiting.map((one) => ({ incoming: one })),
    time: 'present',
  })
  let first: MissingPart | undefined
  for (const [index, acceptance] of accepted.entries()) {
    const one = waiting[index]!
    outcomes.set(one.parsed.pdu.eventId, acceptance)
    if (acceptance.outcome === 'missing') first ??= { incoming: one }
  }
  return first
}

/** Fetches what the event lacks, in rising cost: the events between, then what authorises it, then whole states. */
async function closeGap(deps: ReceiveDeps, from: FromSender, incoming: IncomingEvent): Promise<Acceptance> {
  const { pdu } = incoming.parsed
  // While it waited, somebody else may have brought what it lacks.
  let current = await acceptOne(deps, from, { incoming })
  if (current.outcome === 'missing' && current.prevEvents.length > 0) {
    const between = await attempt(deps, from, pdu.eventId, () => takeInBetween(deps, from, pdu.eventId))
    current = await acceptOne(deps, from, { incoming })
    if (between === 'broken') return current
  }
  if (current.outcome === 'missing' && current.authEvents.length > 0) {
    await attempt(deps, from, pdu.eventId, () => fetchAuthEvents(deps, from, pdu.eventId))
    current = await acceptOne(deps, from, { incoming })
  }
  if (current.outcome === 'missing' && current.prevEvents.length > 0) {
    const { prevEvents } = current
    const statesAfter = await attempt(deps, from, pdu.eventId, () => statesAfterAll(deps, from, prevEvents))
    if (statesAfter !== undefined) current = await acceptOne(deps, from, { incoming, statesAfter })
  }
  return current
}

/**
 * Whatever the other server answers, or does not: the dearer ways are still open, and an event that lacks something after
 * them stays out until somebody sends it again.
 */
async function attempt<T>(
  deps: ReceiveDeps,
  from: FetchFrom,
  eventId: EventId,
  fetch: () => Promise<T>,
): Promise<T | undefined> {
  try {
    return await fetch()
  } catch (error) {
    const { message } = error as Error
    deps.log.warn({ event: eventId, server: from.server, error: message }, 'cannot fetch what an event builds on')
    return undefined
  }
}

/** `broken`: the events between are none that any server may take, and so nobody can build on them. */
async function takeInBetween(deps: ReceiveDeps, from: FromSender, latest: EventId): Promise<'broken' | 'taken'> {
  const head = await deps.heads.byNid(from.room.roomNid)
  const earliest = head.extremities.slice(-EARLIEST_MAX).map(({ pdu }) => pdu.eventId)
  const gap = { earliest, latest, minDepth: await depthOfOldest(deps, head) }
  const { incoming, hasNonCanonical } = await fetchGap(deps, from, gap)
  const { between, outcomes } = await from.inInbox(() => judgeAndAccept(deps, from, ordered(incoming)))
  if (hasNonCanonical) return 'broken'
  const oldest = between.find((_, index) => outcomes[index]!.outcome === 'missing')
  if (oldest === undefined) return 'taken'
  // The gap is longer than what one may ask for: the state before its end makes up for the beginning.
  const first = outcomes[between.indexOf(oldest)]!
  if (first.outcome !== 'missing') return 'taken'
  const { eventId } = oldest.parsed.pdu
  if (first.authEvents.length > 0) await attempt(deps, from, eventId, () => fetchAuthEvents(deps, from, eventId))
  const statesAfter = await statesAfterAll(deps, from, first.prevEvents)
  const rest = between.slice(between.indexOf(oldest))
  const arrivals = rest.map((one) => (one === oldest ? { incoming: one, statesAfter } : asArrival(one)))
  await from.inInbox(() => acceptEvents(deps, from.room, { arrivals, time: 'present' }))
  return 'taken'
}

/**
 * The depth from which on this server knows the room. Our newest events are no measure: what others said beside them, while we
 * did not hear each other, is no deeper.
 */
async function depthOfOldest(
  deps: ReceiveDeps,
  { roomNid, extremities }: Pick<RoomHead, 'roomNid' | 'extremities'>,
): Promise<number> {
  const [nid] = await gapEventsDeeper(deps.db, { roomNid, depth: -1, limit: 1 })
  const first = nid === undefined ? undefined : await deps.events.byNid(nid)
  return Math.max(0, Math.min(first?.pdu.depth ?? 0, ...extremities.map(({ pdu }) => pdu.depth)))
}

async function judgeAndAccept(
  deps: ReceiveDeps,
  { room, signal }: FromSender,
  incoming: readonly IncomingEvent[],
): Promise<{ readonly between: readonly IncomingEvent[]; readonly outcomes: readonly Acceptance[] }> {
  const between = await judgeReceived(deps, room, { incoming, signal })
  return { between, outcomes: await acceptEvents(deps, room, { arrivals: between.map(asArrival), time: 'present' }) }
}

async function statesAfterAll(
  deps: ReceiveDeps,
  from: FromSender,
  eventIds: readonly EventId[],
): Promise<ReadonlyMap<EventId, StateMap>> {
  const states = new Map<EventId, StateMap>()
  for (const eventId of eventIds.slice(0, STATES_MAX)) {
    const state = await fetchStateAfter(deps, from, eventId)
    if (state !== undefined) states.set(eventId, state)
  }
  return states
}

async function acceptOne(deps: ReceiveDeps, { inInbox, room }: FromSender, arrival: Arrival): Promise<Acceptance> {
  const accept = (): Promise<readonly Acceptance[]> =>
    acceptEvents(deps, room, { arrivals: [arrival], time: 'present' })
  const [acceptance] = await inInbox(accept)
  return acceptance!
}

function asArrival(incoming: IncomingEvent): Arrival {
  return { incoming }
}

function ordered(incoming: readonly IncomingEvent[]): IncomingEvent[] {
  return inCitedOrder(incoming, {
    idOf: ({ parsed }) => parsed.pdu.eventId,
    citedBy: ({ parsed: { pdu } }) => [...pdu.prevEvents, ...pdu.authEvents],
  })
}

/** An event that was rejected or soft-failed was handled: it is kept as that, and its sender could mend nothing. */
function resultOf(acceptance: Acceptance): PduResult {
  if (acceptance.outcome === 'missing') return { error: 'What the event builds on could not be fetched.' }
  return {}
}
