/** What the events of a batch ask the database for, read for all of them at once. Holds for one turn of the room's queue. */
import type { EventId } from '@holdfast/protocol/ids/brand'
import type { Pdu } from '@holdfast/protocol/event/pdu'
import type { Homeserver } from '../../homeserver.ts'
import { waitingRedactions } from '../../storage/federation-rooms.ts'
import { gapEventsDeeper } from '../../storage/gap-events.ts'
import { knownEvents, type KnownEvent } from './known-events.ts'

type LookupDeps = Pick<Homeserver, 'db'>

/** Events with a gap before them that are looked at for one that arrives late. */
const GAP_EVENTS_MAX = 50

export class BatchLookups {
  readonly #deps: LookupDeps
  readonly #roomNid: number
  /** undefined: not here. */
  readonly #known = new Map<EventId, KnownEvent | undefined>()
  readonly #redactions = new Map<EventId, number[]>()
  /** No event deeper than this has a gap before it; undefined: that was not asked. */
  #gaplessFrom: number | undefined

  constructor(deps: LookupDeps, roomNid: number) {
    this.#deps = deps
    this.#roomNid = roomNid
  }

  async readAhead(pdus: readonly Pdu[]): Promise<void> {
    const eventIds = pdus.map(({ eventId }) => eventId)
    await this.#readKnown(new Set(pdus.flatMap((pdu) => [pdu.eventId, ...pdu.authEvents, ...pdu.prevEvents])))
    await this.#readRedactions(eventIds)
    const depth = Math.min(...pdus.map((pdu) => pdu.depth))
    const deeper = await gapEventsDeeper(this.#deps.db, { roomNid: this.#roomNid, depth, limit: 1 })
    this.#gaplessFrom = deeper.length === 0 ? depth : undefined
  }

  /** Those of the events that are stored. */
  async known(eventIds: readonly EventId[]): Promise<ReadonlyMap<EventId, KnownEvent>> {
    const unread = eventIds.filter((eventId) => !this.#known.has(eventId))
    if (unread.length > 0) await this.#readKnown(new Set(unread))
    const known = new Map<EventId, KnownEvent>()
    for (const eventId of eventIds) {
      const event = this.#known.get(eventId)
      if (event !== undefined) known.set(eventId, event)
    }
    return known
  }

  /** The redactions that came before the event. */
  async redactionsOf(eventId: EventId): Promise<readonly number[]> {
    if (!this.#redactions.has(eventId)) await this.#readRedactions([eventId])
    return this.#redactions.get(eventId) ?? []
  }

  /** A redaction waits for an event, which may come with this very batch. */
  redactionWaits(eventId: EventId, redactionNid: number): void {
    this.#redactions.get(eventId)?.push(redactionNid)
  }

  /** Deeper events that have a gap before them, nearest first. */
  async gapEventsDeeper(depth: number): Promise<readonly number[]> {
    if (this.#gaplessFrom !== undefined && depth >= this.#gaplessFrom) return []
    return gapEventsDeeper(this.#deps.db, { roomNid: this.#roomNid, depth, limit: GAP_EVENTS_MAX })
  }

  async #readKnown(eventIds: ReadonlySet<EventId>): Promise<void> {
    const found = await knownEvents(this.#deps.db, this.#roomNid, eventIds)
    for (const eventId of eventIds) this.#known.set(eventId, found.get(eventId))
  }

  async #readRedactions(targetIds: readonly EventId[]): Promise<void> {
    for (const eventId of targetIds) this.#redactions.set(eventId, [])
    for (const row of await waitingRedactions(this.#deps.db, { roomNid: this.#roomNid, targetIds }))
      this.#redactions.get(row.target_id as EventId)?.push(row.redaction_nid)
  }
}
