/** A room of many members in which each has set something: all of its events, valid and signed. */
import { hash } from 'node:crypto'
import { buildEvent, type EdgeRef } from '@holdfast/protocol/event/build'
import { signBuiltEvent } from '@holdfast/protocol/event/sign'
import type { RoomId, ServerName, UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { rulesFor, type RoomRules } from '@holdfast/protocol/room-version/rules'
import { createSigningKey, type SigningKey } from '@holdfast/protocol/signing/signing-key'

export type RoomSize = { readonly members: number; readonly stateEvents: number; readonly version: string }

/** An event with its id, as canonical JSON. */
export type SignedEvent = { readonly eventId: string; readonly json: string }

export type Draft = {
  readonly type: string
  readonly stateKey?: string
  readonly sender: UserId
  readonly content: JsonObject
}

export const SETTING = 'org.example.setting'
const FIRST_TS = 1_700_000_000_000

/** Its events are made one after the other, each upon the one before it or upon those that are named. */
export class LargeRoom {
  readonly serverName: ServerName
  readonly key: SigningKey
  readonly rules: RoomRules
  readonly creator: UserId
  readonly state: SignedEvent[] = []
  /** By event id: the state events that authorise others. */
  readonly authChain = new Set<string>()
  roomId: RoomId | undefined
  #authKeys = new Map<string, string>()
  #tip: string | undefined
  #depth = 0

  constructor(serverName: string, version: string) {
    this.serverName = serverName as ServerName
    this.key = keyOf(serverName)
    this.rules = rulesFor(version)!
    this.creator = this.userId(0)
    if (!this.rules.roomIdIsCreateHash) this.roomId = `!large:${serverName}` as RoomId
  }

  userId(index: number): UserId {
    return `@member_${index}:${this.serverName}` as UserId
  }

  get tip(): string {
    return this.#tip!
  }

  /** Goes on from an event of somebody else. */
  continueFrom(eventId: string, depth: number): void {
    this.#tip = eventId
    this.#depth = depth
  }

  fill({ members, stateEvents }: RoomSize): void {
    const { creator } = this
    this.addState({ type: 'm.room.create', stateKey: '', sender: creator, content: this.#createContent() })
    this.addState(this.#joinOf(0))
    this.addState({ type: 'm.room.power_levels', stateKey: '', sender: creator, content: this.#levels() })
    this.addState({ type: 'm.room.join_rules', stateKey: '', sender: creator, content: { join_rule: 'public' } })
    const visibility = { history_visibility: 'shared' }
    this.addState({ type: 'm.room.history_visibility', stateKey: '', sender: creator, content: visibility })
    for (let index = 1; index < members; index += 1) this.addState(this.#joinOf(index))
    for (let index = 0; this.state.length < stateEvents; index += 1) {
      const sender = this.userId(index % members)
      const content = { colour: `#${String(index).padStart(6, '0')}`, note: 'what a member has set for this room' }
      this.addState({ type: SETTING, stateKey: `${sender} ${index}`, sender, content })
    }
  }

  addState(draft: Draft): void {
    const event = this.build(draft, [this.#tip])
    this.state.push(event)
    this.#authKeys.set(`${draft.type} ${draft.stateKey}`, event.eventId)
    this.#tip = event.eventId
  }

  /** An event upon those events; the room's own tip stays where it is. */
  build(draft: Draft, prev: readonly (string | undefined)[]): SignedEvent {
    this.#depth += 1
    const built = buildEvent({
      rules: this.rules,
      roomId: this.roomId,
      draft: { ...draft, originServerTs: FIRST_TS + this.#depth * 1000 },
      prevEvents: prev.flatMap((eventId) => (eventId === undefined ? [] : [edge(eventId)])),
      authEvents: this.#authEvents(draft).map(edge),
      depth: this.#depth,
      serverName: this.serverName,
    })
    this.roomId ??= built.pdu.roomId
    return { eventId: built.pdu.eventId, json: signBuiltEvent(built, this.serverName, this.key) }
  }

  authIds(keys: readonly string[]): readonly string[] {
    return keys.flatMap((key) => this.#authKeys.get(key) ?? [])
  }

  /** Of a user that joins from elsewhere. */
  joinAuthEvents(): readonly string[] {
    return this.authIds([...this.#createKeys(), 'm.room.power_levels ', 'm.room.join_rules '])
  }

  #authEvents({ type, sender }: Draft): readonly string[] {
    const keys = [...this.#createKeys(), 'm.room.power_levels ', `m.room.member ${sender}`]
    if (type === 'm.room.member') keys.push('m.room.join_rules ')
    const ids = this.authIds(keys)
    for (const eventId of ids) this.authChain.add(eventId)
    return ids
  }

  #createKeys(): readonly string[] {
    return this.rules.roomIdIsCreateHash ? [] : ['m.room.create ']
  }

  #createContent(): JsonObject {
    const { rules, creator } = this
    return { room_version: rules.version, ...(['1', '10'].includes(rules.version) ? { creator } : {}) }
  }

  #joinOf(index: number): Draft {
    const sender = this.userId(index)
    const avatar = `mxc://${this.serverName}/${hash('sha256', sender, 'hex').slice(0, 24)}`
    const content = { membership: 'join', displayname: `Member number ${index}`, avatar_url: avatar }
    return { type: 'm.room.member', stateKey: sender, sender, content }
  }

  #levels(): JsonObject {
    // From version 12 on creators are above all levels and may not be listed.
    const users = this.rules.roomIdIsCreateHash ? {} : { [this.creator]: 100 }
    return { users, events: { [SETTING]: 0 }, events_default: 0, state_default: 50, users_default: 0 }
  }
}

/** The same for the same name. */
export function keyOf(serverName: string): SigningKey {
  return createSigningKey({ keyId: 'ed25519:load', seed: hash('sha256', `load ${serverName}`, 'buffer') })
}

function edge(eventId: string): EdgeRef {
  return { eventId: eventId as EdgeRef['eventId'], referenceHash: '' }
}
