/** Which events of the state an event cites as its authorisation. <https://spec.matrix.org/v1.19/server-server-api/#auth-events-selection> */
import { isObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import type { RoomRules } from '../room-version/rules.ts'

export type AuthEventKey = { readonly type: string; readonly stateKey: string }

export type AuthEventSubject = {
  readonly type: string
  readonly stateKey?: string | undefined
  readonly sender: string
  readonly content: JsonObject
}

/** Type and state key of each, without repetition; those that the state does not have are left out by the caller. */
export function selectAuthEvents(rules: RoomRules, event: AuthEventSubject): AuthEventKey[] {
  if (event.type === 'm.room.create') return []
  const keys: AuthEventKey[] = rules.roomIdIsCreateHash ? [] : [{ type: 'm.room.create', stateKey: '' }]
  keys.push({ type: 'm.room.power_levels', stateKey: '' }, { type: 'm.room.member', stateKey: event.sender })
  if (event.type === 'm.room.member') keys.push(...membershipKeys(rules, event))
  return keys
}

function membershipKeys(rules: RoomRules, { stateKey, sender, content }: AuthEventSubject): AuthEventKey[] {
  const keys: AuthEventKey[] = []
  const membership = member(content, 'membership')
  if (stateKey !== undefined && stateKey !== sender) keys.push({ type: 'm.room.member', stateKey })
  if (membership === 'join' || membership === 'invite' || membership === 'knock') {
    keys.push({ type: 'm.room.join_rules', stateKey: '' })
  }
  if (membership === 'invite') {
    const token = thirdPartyToken(content)
    if (token !== undefined) keys.push({ type: 'm.room.third_party_invite', stateKey: token })
  }
  const authoriser = member(content, 'join_authorised_via_users_server')
  const isNew = authoriser !== sender && authoriser !== stateKey
  if (membership === 'join' && rules.restrictedJoins && typeof authoriser === 'string' && isNew) {
    keys.push({ type: 'm.room.member', stateKey: authoriser })
  }
  return keys
}

function thirdPartyToken(content: JsonObject): string | undefined {
  const invite = member(content, 'third_party_invite')
  const signed = isObject(invite) ? member(invite, 'signed') : undefined
  const token = isObject(signed) ? member(signed, 'token') : undefined
  return typeof token === 'string' ? token : undefined
}

function member(object: JsonObject, key: string): JsonValue | undefined {
  return Object.hasOwn(object, key) ? object[key] : undefined
}
