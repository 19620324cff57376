/** Events as the homeserver holds them: the parsed PDU with what only this server knows of it. */
import { LRUCache } from 'lru-cache'
import { upTo } from '@holdfast/platform/cache/up-to'
import { hash } from 'node:crypto'
import type { EventId } from '@holdfast/protocol/ids/brand'
import type { Pdu } from '@holdfast/protocol/event/pdu'
import { yieldToLoop } from '@holdfast/platform/clock/yield'
import type { Database } from '@holdfast/platform/database/database'
import * as storage from '../storage/events.ts'
import { openRoomIdentities, type RoomIdentity } from './room-identity.ts'
import { storedPdu } from './stored-pdu.ts'

export type StoredEvent = {
  readonly nid: number
  readonly roomNid: number
  readonly position: number
  readonly pdu: Pdu
  readonly senderNid: number
  /** undefined for message events. */
  readonly stateKeyNid: number | undefined
  readonly flags: number
  /** The state after this event. */
  readonly stateNid: number
  /** The state event whose place this one took. */
  readonly replacesNid: number | undefined
  readonly redactedByNid: number | undefined
  /** The local device that sent it, and under which transaction id. */
  readonly deviceNid: number | undefined
  readonly transactionId: string | undefined
  /** The stored PDU, canonical; redacted if the event is. */
  readonly json: string
}

export type EventStore = {
  byNid(nid: number): Promise<StoredEvent | undefined>
  /** Those of the events that exist, by nid. */
  byNids(nids: Iterable<number>): Promise<ReadonlyMap<number, StoredEvent>>
  /** An event of this room; an event of another room is not found (security: never by event id alone). */
  inRoom(roomNid: number, eventId: EventId): Promise<StoredEvent | undefined>
  room(roomNid: number): Promise<RoomIdentity>
  /** The room's version was changed. */
  forgetRoom(roomNid: number): void
  /** Parses rows of a query and caches them. */
  fromRows(rows: readonly storage.EventRow[]): Promise<readonly StoredEvent[]>
  remember(event: StoredEvent): void
  /** The event's row was rewritten by a redaction: what is cached of it goes. Call right after the commit. */
  redacted(nid: number): void
}

const CACHE_BYTES_MAX = 24 * 1024 * 1024
const REMEMBERED_REDACTIONS_MAX = 10_000
/** What an event in memory costs beside its text, roughly. */
const EVENT_OVERHEAD_BYTES = 1_000

export function openEventStore(db: Database): EventStore {
  const cache = new LRUCache<number, StoredEvent>({
    maxSize: CACHE_BYTES_MAX,
    sizeCalculation: (event) => event.json.length * 2 + EVENT_OVERHEAD_BYTES,
  })
  const room = openRoomIdentities(db)
  // A read that began before a redaction was committed must not put the old text back into the cache.
  const redacted = new LRUCache<number, true>(upTo(REMEMBERED_REDACTIONS_MAX))

  async function fromRows(rows: readonly storage.EventRow[]): Promise<readonly StoredEvent[]> {
    const events: StoredEvent[] = []
    for (const row of rows) {
      let event = cache.get(row.event_nid)
      // Between a commit that places an event and its publication, what is cached has no place yet.
      if (event === undefined || (event.position === storage.NOWHERE && row.position !== storage.NOWHERE)) {
        const identity = await room(row.room_nid)
        const stale = row.redacted_by_nid === null && redacted.has(row.event_nid)
        const newest = stale ? await storage.eventByNid(db, row.event_nid) : row
        if (newest === undefined) continue
        event = storedEvent(newest, identity)
        cache.set(event.nid, event)
      }
      events.push(event)
    }
    return events
  }

  async function byNid(nid: number): Promise<StoredEvent | undefined> {
    const known = cache.get(nid)
    if (known !== undefined) return known
    const row = await storage.eventByNid(db, nid)
    return row === undefined ? undefined : (await fromRows([row]))[0]
  }

  async function byNids(nids: Iterable<number>): Promise<ReadonlyMap<number, StoredEvent>> {
    const found = new Map<number, StoredEvent>()
    const missing: number[] = []
    for (const nid of nids) {
      const known = cache.get(nid)
      if (known === undefined) missing.push(nid)
      else found.set(nid, known)
    }
    for (let start = 0; start < missing.length; start += LOAD_BATCH) {
      if (start > 0) await yieldToLoop()
      const rows = await storage.eventsByNid(db, missing.slice(start, start + LOAD_BATCH))
      for (const event of await fromRows(rows)) found.set(event.nid, event)
    }
    return found
  }

  return {
    byNid,
    byNids,
    inRoom: (roomNid, eventId) => findInRoom({ db, byNid }, roomNid, eventId),
    room,
    forgetRoom: (roomNid) => room.forget(roomNid),
    fromRows,
    remember: (event) => void cache.set(event.nid, event),
    redacted: (nid) => {
      redacted.set(nid, true)
      cache.delete(nid)
    },
  }
}

async function findInRoom(
  store: { readonly db: Database; readonly byNid: EventStore['byNid'] },
  roomNid: number,
  eventId: EventId,
): Promise<StoredEvent | undefined> {
  for (const row of await storage.eventsByIdHash(store.db, eventIdHash(eventId))) {
    if (row.event_id !== eventId) continue
    const event = await store.byNid(row.event_nid)
    if (event?.roomNid === roomNid) return event
  }
  return undefined
}

/** Rows read at once, so that no read holds the event loop for long. */
const LOAD_BATCH = 200

/** 53 bits of the event id's SHA-256. */
export function eventIdHash(eventId: EventId): number {
  return Number.parseInt(hash('sha256', eventId, 'hex').slice(0, 13), 16)
}

function storedEvent(row: storage.EventRow, room: RoomIdentity): StoredEvent {
  return {
    nid: row.event_nid,
    roomNid: row.room_nid,
    position: row.position,
    pdu: storedPdu({ json: row.json, eventId: row.event_id as EventId, roomId: room.roomId, rules: room.rules }),
    senderNid: row.sender_nid,
    stateKeyNid: row.state_key_nid ?? undefined,
    flags: row.flags,
    stateNid: row.state_nid,
    replacesNid: row.replaces_nid ?? undefined,
    redactedByNid: row.redacted_by_nid ?? undefined,
    deviceNid: row.device_nid ?? undefined,
    transactionId: row.transaction_id ?? undefined,
    json: row.json,
  }
}
