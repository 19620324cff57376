/** What goes into the next transaction for a server. */
import { exactEvent } from '@holdfast/protocol/event/exact-json'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { EventId, ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../../homeserver.ts'
import type { StoredEvent } from '../../rooms/event-store.ts'
import { wirePdu, type WireDeps } from '../../rooms/serve/wire-pdu.ts'
import type { ReadDeps } from '../../rooms/visible-events.ts'
import * as storage from '../../storage/outbox.ts'
import { orBroken } from './broken.ts'
import { missedEvents } from './catch-up.ts'
import type { Ephemeral, Lane, OwedEvent, TakenEvents } from './lane.ts'
import { OUTBOX_LIMITS } from './limits.ts'
import { shownEvent } from './shown-event.ts'

export type BatchDeps = ReadDeps & WireDeps & Pick<Homeserver, 'log'>

export type Batch = {
  readonly taken: TakenEvents
  readonly pdus: readonly { readonly eventId: EventId; readonly pdu: JsonObject }[]
  /** From storage. */
  readonly edus: readonly storage.OutgoingEduRow[]
  readonly ephemeral: readonly Ephemeral[]
}

/** @param routed events up to this position have been put into lanes */
export async function nextBatch(deps: BatchDeps, lane: Lane, routed: () => number): Promise<Batch> {
  const { taken, stored } = await fitting(deps, await takeEvents(deps, lane, routed))
  const pdus = await pdusOf(deps, lane.server, taken.events, stored)
  const edus = await takeEdus(deps, lane, pdus.length)
  return { taken, pdus, edus, ephemeral: takeEphemeral(lane, edus.length) }
}

type StoredEvents = ReadonlyMap<number, StoredEvent>

/** Big events go out a few at a time: there are many transactions at once. */
async function fitting(deps: BatchDeps, taken: TakenEvents): Promise<{ taken: TakenEvents; stored: StoredEvents }> {
  const stored = await deps.events.byNids(taken.events.map(({ eventNid }) => eventNid))
  let characters = 0
  const fit = taken.events.filter(({ eventNid }, index) => {
    characters += stored.get(eventNid)?.json.length ?? 0
    return index === 0 || characters <= OUTBOX_LIMITS.pduCharactersMax
  })
  return { taken: fit.length === taken.events.length ? taken : firstOf(taken, fit.length), stored }
}

function firstOf({ events, gap }: TakenEvents, count: number): TakenEvents {
  const first = events.slice(0, count)
  return { events: first, gap: gap === undefined ? undefined : { ...gap, through: first.at(-1)!.position } }
}

async function takeEvents(deps: BatchDeps, lane: Lane, routed: () => number): Promise<TakenEvents> {
  const { gap, portion } = lane
  if (gap === undefined) return { events: lane.events.slice(0, portion), gap: undefined }
  // From here on the lane keeps what comes, so that the gap has an end.
  gap.upTo ??= Math.max(routed(), gap.after)
  const missed = await missedEvents(deps.db, lane.server, { after: gap.after, upTo: gap.upTo })
  return missed.events.length <= portion ? missed : firstOf(missed, portion)
}

async function pdusOf(
  deps: BatchDeps,
  server: ServerName,
  owed: readonly OwedEvent[],
  stored: StoredEvents,
): Promise<Batch['pdus']> {
  const pdus: { eventId: EventId; pdu: JsonObject }[] = []
  for (const { eventNid, isOld } of owed) {
    const event = stored.get(eventNid)
    if (event === undefined || serverNameOf(event.pdu.sender) === server) continue
    const { eventId } = event.pdu
    const pdu = await orBroken(deps, { server, eventId }, async () => {
      const shown = isOld ? await shownEvent(deps, server, event) : event
      return shown === undefined ? undefined : parsedPdu(deps, shown)
    })
    if (pdu !== undefined) pdus.push({ eventId, pdu })
  }
  return pdus
}

/** One event goes to many servers. */
const parsed = new WeakMap<StoredEvent, JsonObject>()

async function parsedPdu(deps: BatchDeps, event: StoredEvent): Promise<JsonObject> {
  let pdu = parsed.get(event)
  if (pdu === undefined) {
    const { rules } = await deps.events.room(event.roomNid)
    pdu = exactEvent(await wirePdu(deps, event), rules)
    parsed.set(event, pdu)
  }
  return pdu
}

async function takeEdus(deps: BatchDeps, lane: Lane, pdus: number): Promise<readonly storage.OutgoingEduRow[]> {
  if (!lane.hasEdus) return []
  const { edusMax, pdusMax, eduCharactersMax } = OUTBOX_LIMITS
  // After a refusal one thing at a time, so that it shows which is bad.
  if (lane.portion === 1 && pdus > 0) return []
  const limit = Math.ceil((edusMax * lane.portion) / pdusMax)
  const query = { serverName: lane.server, after: lane.edusTold ?? 0, limit: lane.portion === 1 ? 1 : limit }
  // Whoever wakes us from here on is not covered by what is read.
  lane.hasEdus = false
  const rows = await storage.outgoingEdus(deps.db, query)
  let characters = 0
  const fit = rows.filter(({ edu }, index) => (characters += edu.length) <= eduCharactersMax || index === 0)
  if (rows.length === query.limit || fit.length < rows.length) lane.hasEdus = true
  return fit
}

function takeEphemeral(lane: Lane, edus: number): readonly Ephemeral[] {
  if (lane.portion < OUTBOX_LIMITS.pdusMax) return []
  const taken = [...lane.ephemeral].slice(0, OUTBOX_LIMITS.edusMax - edus)
  for (const [key] of taken) lane.ephemeral.delete(key)
  return taken.map(([, edu]) => edu)
}
