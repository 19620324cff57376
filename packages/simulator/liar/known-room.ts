/** What the lying server knows of a room: enough to build events that look right. */
import { buildEvent } from '@holdfast/protocol/event/build'
import { selectAuthEvents } from '@holdfast/protocol/event/auth-events'
import { parsePdu } from '@holdfast/protocol/event/format'
import { signBuiltEvent } from '@holdfast/protocol/event/sign'
import { referenceHash } from '@holdfast/protocol/event/hash'
import type { EventId, RoomId, ServerName, UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import type { SigningKey } from '@holdfast/protocol/signing/signing-key'

export type KnownEvent = {
  readonly id: EventId
  readonly json: JsonObject
  readonly type: string
  readonly stateKey: string | undefined
  readonly depth: number
  readonly authEvents: readonly EventId[]
  readonly prevEvents: readonly EventId[]
}

export type Draft = {
  readonly type: string
  readonly stateKey?: string
  readonly content: JsonObject
  readonly sender: string
  readonly prev?: readonly EventId[]
  readonly auth?: readonly EventId[]
  readonly depth?: number
  readonly atMs: number
  readonly redacts?: EventId
}

export class KnownRoom {
  readonly roomId: RoomId
  readonly rules: RoomRules
  readonly events = new Map<EventId, KnownEvent>()
  /** Event id by type and state key: the newest heard of. */
  readonly state = new Map<string, EventId>()
  tip: EventId | undefined
  readonly #name: ServerName
  readonly #key: SigningKey
  #built = 0

  constructor(roomId: RoomId, rules: RoomRules, identity: { readonly name: ServerName; readonly key: SigningKey }) {
    this.roomId = roomId
    this.rules = rules
    this.#name = identity.name
    this.#key = identity.key
  }

  /** undefined: not an event of this room. */
  learn(json: JsonObject): KnownEvent | undefined {
    const parsed = parsePdu(json, this.rules)
    if (!parsed.ok || parsed.pdu.roomId !== this.roomId) return undefined
    const { pdu } = parsed
    const { type, stateKey, depth, authEvents, prevEvents } = pdu
    const event = { id: pdu.eventId, json, type, stateKey, depth, authEvents, prevEvents }
    this.events.set(event.id, event)
    if (stateKey !== undefined) this.state.set(stateName(type, stateKey), event.id)
    return event
  }

  /** Signed, and known from now on; the tip moves. */
  build(draft: Draft): KnownEvent {
    this.#built += 1
    const { type, stateKey, content, sender } = draft
    const prev = draft.prev ?? (this.tip === undefined ? [] : [this.tip])
    const auth = draft.auth ?? this.authOf({ type, stateKey, content, sender })
    const depths = prev.map((id) => this.events.get(id)?.depth ?? 1)
    const built = buildEvent({
      rules: this.rules,
      roomId: this.roomId,
      draft: {
        type,
        stateKey,
        content,
        sender: sender as UserId,
        originServerTs: draft.atMs,
        ...(draft.redacts === undefined ? {} : { redacts: draft.redacts }),
      },
      prevEvents: prev.map((eventId) => this.#edge(eventId)),
      authEvents: auth.map((eventId) => this.#edge(eventId)),
      depth: draft.depth ?? Math.max(0, ...depths) + 1,
      serverName: this.#name,
      eventIdLocalpart: `lie${this.roomId.slice(1, 6)}${this.#built}`,
    })
    const event = this.learn(JSON.parse(signBuiltEvent(built, this.#name, this.#key)) as JsonObject)
    if (event === undefined) throw new Error('the lying server built something that is no event at all')
    return event
  }

  authOf(subject: Parameters<typeof selectAuthEvents>[1]): readonly EventId[] {
    return selectAuthEvents(this.rules, subject).flatMap(
      (key) => this.state.get(stateName(key.type, key.stateKey)) ?? [],
    )
  }

  authChain(from: readonly EventId[]): readonly KnownEvent[] {
    const found = new Map<EventId, KnownEvent>()
    const waiting = [...from]
    for (let id = waiting.pop(); id !== undefined; id = waiting.pop()) {
      const event = this.events.get(id)
      if (event === undefined || found.has(id)) continue
      found.set(id, event)
      waiting.push(...event.authEvents)
    }
    return [...found.values()]
  }

  stateEvents(): readonly KnownEvent[] {
    return [...this.state.values()].flatMap((id) => this.events.get(id) ?? [])
  }

  #edge(eventId: EventId): { eventId: EventId; referenceHash: string } {
    const event = this.events.get(eventId)
    return { eventId, referenceHash: event === undefined ? '' : referenceHash(event.json, this.rules) }
  }
}

export function stateName(type: string, stateKey: string): string {
  return JSON.stringify([type, stateKey])
}
