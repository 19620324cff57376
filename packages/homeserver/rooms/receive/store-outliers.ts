/** Events without a place in the room's graph: they authorise others, or make up a state that another server told us. */
import type { EventId, RoomId } from '@holdfast/protocol/ids/brand'
import { createEventIdOf } from '@holdfast/protocol/ids/room-id'
import { checkOutlier, type KnownEvent as JudgedEvent, type ReceiptVerdict } from '@holdfast/protocol/receipt/check'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import { yieldToLoop } from '@holdfast/platform/clock/yield'
import type { Statement } from '@holdfast/platform/database/database'
import type { Homeserver } from '../../homeserver.ts'
import { EVENT_FLAGS, insertEvent, NOWHERE } from '../../storage/events.ts'
import { insertEventVerdict } from '../../storage/federation-rooms.ts'
import { packEdges } from '../edges.ts'
import { eventIdHash } from '../event-store.ts'
import type { IncomingEvent } from './incoming.ts'
import { isRejected, knownEvents, type KnownEvent } from './known-events.ts'
import { manyInCitedOrder } from './topological.ts'
import { wordsOfAll, type Words } from './words.ts'

export type OutlierDeps = Pick<Homeserver, 'db' | 'dictionary' | 'events' | 'nids'>

export type OutlierRoom = { readonly roomNid: number; readonly roomId: RoomId; readonly rules: RoomRules }

export type StoringOptions = {
  readonly signal?: AbortSignal
  /** Hears how many of the events were worked off. */
  readonly stored?: (count: number) => void
}

/** Stored in one commit. */
const EVENTS_PER_COMMIT = 400
/** Decided on in one turn of the event loop. */
const EVENTS_PER_TURN = 50

/**
 * Stores those of the events that are not here and whose auth events are, and answers with all of them that are here
 * afterwards. Only whoever holds the room's inbox may call it: nothing else keeps an event from being stored twice.
 */
export async function storeOutliers(
  deps: OutlierDeps,
  room: OutlierRoom,
  incoming: readonly IncomingEvent[],
  { signal, stored }: StoringOptions = {},
): Promise<ReadonlyMap<EventId, KnownEvent>> {
  const createId = createIdOf(room)
  const ordered = await manyInCitedOrder(incoming, {
    idOf: ({ parsed }) => parsed.pdu.eventId,
    // Where nobody cites the create event, everybody needs it all the same.
    citedBy: ({ parsed }) => (createId === undefined ? parsed.pdu.authEvents : [createId, ...parsed.pdu.authEvents]),
  })
  const known = new Map<EventId, KnownEvent>()
  const judged = new Map<EventId, JudgedEvent>()
  // Before the events, and all of them, for their commits can be made together.
  const words = await wordsOfAll(
    deps,
    ordered.map(({ parsed }) => parsed.pdu),
  )
  let written: Promise<unknown> = Promise.resolve()
  for (let start = 0; start < ordered.length; start += EVENTS_PER_COMMIT) {
    const end = start + EVENTS_PER_COMMIT
    const some = { incoming: ordered.slice(start, end), words: words.slice(start, end), known, judged }
    const statements = await statementsOf(deps, room, some)
    // One after the other, as later ones build on earlier ones; but the next are decided on while these are written.
    await written
    signal?.throwIfAborted()
    if (statements.length > 0) written = deps.db.commit(statements)
    written.catch(() => undefined)
    stored?.(Math.min(end, ordered.length))
  }
  await written
  return known
}

type Chunk = {
  readonly incoming: readonly IncomingEvent[]
  readonly words: readonly Words[]
  /** Grows with what is stored. */
  readonly known: Map<EventId, KnownEvent>
  /** Those events, as far as somebody has cited them or they were decided on here. Grows likewise. */
  readonly judged: Map<EventId, JudgedEvent>
}

/** Decides on the events. */
async function statementsOf(
  deps: OutlierDeps,
  room: OutlierRoom,
  { incoming, words, known, judged }: Chunk,
): Promise<readonly Statement[]> {
  const cited = incoming.flatMap(({ parsed: { pdu } }) => [pdu.eventId, ...pdu.authEvents])
  const createId = createIdOf(room)
  const ids = createId === undefined ? cited : [...cited, createId]
  const unknown = ids.filter((eventId) => !known.has(eventId))
  for (const [eventId, event] of await knownEvents(deps.db, room.roomNid, unknown)) known.set(eventId, event)
  const notJudged = ids.filter((eventId) => !judged.has(eventId))
  for (const [eventId, event] of await judgedEvents(deps, notJudged, known)) judged.set(eventId, event)
  const fresh = incoming.flatMap((one, index) =>
    known.has(one.parsed.pdu.eventId) ? [] : [{ ...one, words: words[index]! }],
  )
  const nids = await deps.nids.events.take(fresh.length)
  const statements: Statement[] = []
  for (const [index, { parsed, signedBy, words: named }] of fresh.entries()) {
    if (index % EVENTS_PER_TURN === 0) await yieldToLoop()
    const { pdu, json } = parsed
    const verdict = judge(room, { pdu, signedBy, judged, createId })
    if (verdict.verdict === 'need') continue
    const nid = nids[index]!
    const isRefused = verdict.verdict === 'reject'
    const flags = EVENT_FLAGS.outlier | (isRefused ? EVENT_FLAGS.rejected : 0)
    const { senderNid, typeNid, stateKeyNid } = named
    known.set(pdu.eventId, { nid, flags, stateNid: 0, stateKeyNid })
    judged.set(pdu.eventId, { pdu, rejected: isRefused })
    statements.push(
      insertEvent({
        nid,
        roomNid: room.roomNid,
        position: { at: NOWHERE },
        eventId: pdu.eventId,
        eventIdHash: eventIdHash(pdu.eventId),
        typeNid,
        senderNid,
        stateKeyNid: stateKeyNid ?? null,
        originServerTs: pdu.originServerTs,
        depth: pdu.depth,
        flags,
        stateNid: 0,
        roomStateNid: null,
        edges: packEdges({ prev: [], auth: pdu.authEvents.map((eventId) => known.get(eventId)!.nid) }),
        replacesNid: null,
        deviceNid: null,
        transactionId: null,
        json,
      }),
    )
    if (isRefused) {
      statements.push(insertEventVerdict({ eventNid: nid, rule: verdict.rule, message: verdict.message }))
    }
  }
  return statements
}

function createIdOf({ rules, roomId }: OutlierRoom): EventId | undefined {
  return rules.roomIdIsCreateHash ? createEventIdOf(roomId) : undefined
}

/** What is known of the events that these cite, by event id. */
async function judgedEvents(
  deps: Pick<Homeserver, 'events'>,
  eventIds: readonly EventId[],
  known: ReadonlyMap<EventId, KnownEvent>,
): Promise<Map<EventId, JudgedEvent>> {
  const wanted = new Map<number, KnownEvent>()
  for (const eventId of eventIds) {
    const event = known.get(eventId)
    if (event !== undefined) wanted.set(event.nid, event)
  }
  const judged = new Map<EventId, JudgedEvent>()
  for (const [nid, { pdu }] of await deps.events.byNids(wanted.keys())) {
    judged.set(pdu.eventId, { pdu, rejected: isRejected(wanted.get(nid)!) })
  }
  return judged
}

function judge(
  { rules }: OutlierRoom,
  event: {
    readonly pdu: IncomingEvent['parsed']['pdu']
    readonly signedBy: ReadonlySet<string>
    readonly judged: ReadonlyMap<EventId, JudgedEvent>
    readonly createId: EventId | undefined
  },
): ReceiptVerdict {
  const { pdu, signedBy, judged, createId } = event
  return checkOutlier({
    rules,
    event: pdu,
    authEvents: pdu.authEvents.flatMap((eventId) => judged.get(eventId) ?? []),
    create: createId === undefined ? undefined : judged.get(createId),
    signedBy,
  })
}
