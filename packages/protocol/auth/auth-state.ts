/** The part of a room's state that the authorisation rules look at. */
import type { Pdu } from '../event/pdu.ts'
import type { JsonValue } from '../json/value.ts'
import type { RoomRules } from '../room-version/rules.ts'
import { parseUserId } from '../ids/user-id.ts'

/** State by type and state key: a whole room's, or only the events that `selectAuthEvents` names. */
export type AuthState = {
  get(type: string, stateKey: string): Pdu | undefined
}

/** A state of exactly these events; a later one replaces an earlier one. Message events are left out. */
export function authStateOf(events: Iterable<Pdu>): AuthState {
  const types = new Map<string, Map<string, Pdu>>()
  for (const event of events) {
    if (event.stateKey === undefined) continue
    const byStateKey = types.get(event.type)
    if (byStateKey === undefined) types.set(event.type, new Map([[event.stateKey, event]]))
    else byStateKey.set(event.stateKey, event)
  }
  return { get: (type, stateKey) => types.get(type)?.get(stateKey) }
}

/** A member of the content that is its own, whatever prototype the object has. */
export function own(content: { readonly [key: string]: JsonValue }, key: string): JsonValue | undefined {
  return Object.hasOwn(content, key) ? content[key] : undefined
}

/** `leave` for whoever has none; undefined if the event's membership is not even a string. */
export function membershipOf(state: AuthState, userId: string): string | undefined {
  const member = state.get('m.room.member', userId)
  if (member === undefined) return 'leave'
  const membership = own(member.content, 'membership')
  return typeof membership === 'string' ? membership : undefined
}

export function joinRuleOf(state: AuthState): string | undefined {
  const event = state.get('m.room.join_rules', '')
  if (event === undefined) return 'invite'
  const rule = own(event.content, 'join_rule') ?? 'invite'
  return typeof rule === 'string' ? rule : undefined
}

/** Who made the room: the only creator before room version 12. */
export function creatorOf(rules: RoomRules, create: Pdu): string | undefined {
  if (!rules.creatorInContent) return create.sender
  const creator = own(create.content, 'creator')
  return typeof creator === 'string' ? creator : undefined
}

/** Everybody who stands above the power levels: empty before room version 12. The create event is an accepted one. */
export function creatorsAboveAll(rules: RoomRules, create: Pdu): readonly string[] {
  if (!rules.creatorsAboveAll) return []
  return [create.sender, ...listedCreators(create)]
}

export function isCreatorAboveAll(rules: RoomRules, create: Pdu, userId: string): boolean {
  return rules.creatorsAboveAll && (create.sender === userId || listedCreators(create).includes(userId))
}

/** Not checked again: the list may be long, and this is asked for every event of the room. */
function listedCreators(create: Pdu): readonly string[] {
  const listed = own(create.content, 'additional_creators')
  return Array.isArray(listed) ? (listed as readonly string[]) : []
}

/** Whether `additional_creators` is what it must be, if it is there. */
export function hasSoundCreators(create: Pdu): boolean {
  const listed = own(create.content, 'additional_creators')
  return listed === undefined || isListOfUserIds(listed)
}

function isListOfUserIds(value: JsonValue): boolean {
  return Array.isArray(value) && value.every((entry) => typeof entry === 'string' && parseUserId(entry) !== undefined)
}

/** What follows the first colon of an id: the server name of a user id, an alias, and of most room and event ids. */
export function domainOf(id: string): string | undefined {
  const colon = id.indexOf(':')
  return colon === -1 ? undefined : id.slice(colon + 1)
}
