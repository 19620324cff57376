/** `aRoom({ version: '12' }).join('@bob:b')`: a valid room of any version, without servers, keys or storage. */
import { authorize } from '../../auth/authorize.ts'
import type { AuthorizeOptions } from '../../auth/authorize.ts'
import type { AuthVerdict } from '../../auth/auth-rules.ts'
import { authStateOf } from '../../auth/auth-state.ts'
import type { AuthState } from '../../auth/auth-state.ts'
import type { EventId, RoomId, ServerName, UserId } from '../../ids/brand.ts'
import type { JsonObject, JsonValue } from '../../json/value.ts'
import { rulesFor } from '../../room-version/rules.ts'
import type { RoomRules } from '../../room-version/rules.ts'
import { selectAuthEvents } from '../auth-events.ts'
import { buildEvent } from '../build.ts'
import type { BuiltEvent, EdgeRef } from '../build.ts'
import type { Pdu } from '../pdu.ts'

export type TestDraft = {
  readonly sender: string
  readonly type: string
  readonly stateKey?: string | undefined
  readonly content?: JsonObject
  readonly redacts?: string
  /** Instead of the tip of the room. */
  readonly prev?: readonly Pdu[]
  /** Instead of what the rules select from the state. */
  readonly auth?: readonly Pdu[]
  readonly originServerTs?: number
  readonly depth?: number
}

/** A room as it is after its events; nothing that is done to it changes it, the answer is another room. */
export type TestRoom = {
  readonly rules: RoomRules
  readonly roomId: RoomId
  readonly create: Pdu
  /** In the order in which they were added. */
  readonly events: readonly Pdu[]
  readonly state: AuthState
  /** An event on the tip of the room, which is not in the room. */
  build(draft: TestDraft): BuiltEvent
  event(draft: TestDraft): Pdu
  stateEvent(sender: string, type: string, stateKey: string, content: JsonObject): Pdu
  message(sender: string, content?: JsonObject): Pdu
  member(sender: string, target: string, membership: JsonValue, more?: JsonObject): Pdu
  /** The room with this event, allowed or not. */
  with(event: Pdu): TestRoom
  /** The room with this event, which must be allowed. */
  send(event: Pdu): TestRoom
  join(user: string): TestRoom
  /** Sets a membership whether or not the rules would let anybody do so. */
  put(target: string, membership: string): TestRoom
  powerLevels(content: JsonObject): TestRoom
  joinRule(rule: string, more?: JsonObject): TestRoom
  verdict(event: Pdu, options?: AuthorizeOptions): AuthVerdict
}

export type TestRoomOptions = {
  readonly version: string
  readonly creator?: string
  /** More content of the create event. */
  readonly content?: JsonObject
}

/** A public room with its creator in it and no power levels. */
export function aRoom({ version, creator = '@ann:a', content = {} }: TestRoomOptions): TestRoom {
  const rules = rulesFor(version)
  if (rules === undefined) throw new Error(`no room version ${version}`)
  const create = buildCreate(rules, creator, content)
  return roomOf(rules, [create]).join(creator).joinRule('public')
}

/** A create event alone, for rooms that are not to be valid. */
export function buildCreate(rules: RoomRules, creator: string, content: JsonObject = {}): Pdu {
  const own: JsonObject = rules.creatorInContent ? { creator } : {}
  return buildEvent({
    rules,
    roomId: rules.roomIdIsCreateHash ? undefined : (`!room:${domain(creator)}` as RoomId),
    draft: {
      type: 'm.room.create',
      stateKey: '',
      sender: creator as UserId,
      content: { room_version: rules.version, ...own, ...content },
      originServerTs: 1_000_000,
    },
    prevEvents: [],
    authEvents: [],
    depth: 1,
    serverName: domain(creator),
    eventIdLocalpart: 'create',
  }).pdu
}

function domain(id: string): ServerName {
  return id.slice(id.indexOf(':') + 1) as ServerName
}

function roomOf(rules: RoomRules, events: readonly Pdu[]): TestRoom {
  const create = events[0]!
  const { roomId } = create
  const state = authStateOf(events)
  const build = (draft: TestDraft): BuiltEvent => buildOn({ rules, roomId, events, state }, draft)
  const event = (draft: TestDraft): Pdu => build(draft).pdu
  const verdict = (checked: Pdu, options: AuthorizeOptions = {}): AuthVerdict =>
    authorize(rules, checked, state, options)
  const room: TestRoom = {
    rules,
    roomId,
    create,
    events,
    state,
    build,
    event,
    stateEvent: (sender, type, stateKey, content) => event({ sender, type, stateKey, content }),
    message: (sender, content = { body: 'hello', msgtype: 'm.text' }) =>
      event({ sender, type: 'm.room.message', content }),
    member: (sender, target, membership, more = {}) =>
      event({ sender, type: 'm.room.member', stateKey: target, content: { membership, ...more } }),
    with: (added) => roomOf(rules, [...events, added]),
    send: (added) => {
      const { allowed, ...why } = verdict(added)
      if (!allowed) throw new Error(`the room of the test is not valid: ${JSON.stringify(why)}`)
      return room.with(added)
    },
    join: (user) => room.send(room.member(user, user, 'join')),
    put: (target, membership) => room.with(room.member(target, target, membership)),
    powerLevels: (content) => room.with(room.stateEvent(create.sender, 'm.room.power_levels', '', content)),
    joinRule: (rule, more = {}) =>
      room.with(room.stateEvent(create.sender, 'm.room.join_rules', '', { join_rule: rule, ...more })),
    verdict,
  }
  return room
}

type Ground = Pick<TestRoom, 'rules' | 'roomId' | 'events' | 'state'>

function buildOn({ rules, roomId, events, state }: Ground, draft: TestDraft): BuiltEvent {
  const { sender, type, stateKey, content = {} } = draft
  const prev = draft.prev ?? [events.at(-1)!]
  const auth = draft.auth ?? selectedFrom(state, rules, { sender, type, stateKey, content })
  return buildEvent({
    rules,
    roomId,
    draft: {
      type,
      stateKey,
      sender: sender as UserId,
      content,
      originServerTs: draft.originServerTs ?? 1_000_000 + events.length,
      redacts: draft.redacts as EventId | undefined,
    },
    prevEvents: prev.map(edgeTo),
    authEvents: auth.map(edgeTo),
    depth: draft.depth ?? 1 + Math.max(0, ...prev.map((event) => event.depth)),
    serverName: domain(sender),
    eventIdLocalpart: `event${events.length}`,
  })
}

function selectedFrom(state: AuthState, rules: RoomRules, draft: TestDraft & { content: JsonObject }): Pdu[] {
  return selectAuthEvents(rules, draft).flatMap((key) => state.get(key.type, key.stateKey) ?? [])
}

/** The hash beside an id matters to nobody who already has the event. */
function edgeTo(event: Pdu): EdgeRef {
  return { eventId: event.eventId, referenceHash: 'n4bQgYhMfWWaL+qgxVrQFaO/TxsrC4Is0V1sFbDwCgg' }
}
