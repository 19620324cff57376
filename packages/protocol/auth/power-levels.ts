/** Who has which power level in a room, and what needs which. <https://spec.matrix.org/v1.19/client-server-api/#mroompower_levels> */
import type { JsonObject } from '../json/value.ts'
import type { RoomRules } from '../room-version/rules.ts'
import type { AuthState } from './auth-state.ts'
import { creatorOf, isCreatorAboveAll } from './auth-state.ts'
import type { PowerLevel } from './level.ts'
import { levelAt, objectAt } from './level.ts'

export type PowerLevels = {
  /** Infinity for the creators of a room of version 12 and later. */
  ofUser(userId: string): PowerLevel
  /** The level needed to send a state event of this type. */
  forState(type: string): PowerLevel
  /** The level needed to send a message event of this type. */
  forMessage(type: string): PowerLevel
  /** The level needed to trigger a notification such as `room`. */
  forNotification(key: string): PowerLevel
  readonly ban: PowerLevel
  readonly kick: PowerLevel
  readonly redact: PowerLevel
  readonly invite: PowerLevel
}

const NOTHING: JsonObject = {}

/** The level of the creator in a room without power levels, before creators stood above them all. */
const CREATOR_LEVEL = 100

export function powerLevels(rules: RoomRules, state: AuthState): PowerLevels {
  const content = state.get('m.room.power_levels', '')?.content
  const levels = content ?? NOTHING
  const events = objectAt(levels, 'events') ?? NOTHING
  const notifications = objectAt(levels, 'notifications') ?? NOTHING
  return {
    ofUser: (userId) => levelOfUser(rules, { state, content, userId }),
    forState: (type) => levelAt(rules, events, type) ?? levelAt(rules, levels, 'state_default') ?? 50,
    forMessage: (type) => levelAt(rules, events, type) ?? levelAt(rules, levels, 'events_default') ?? 0,
    forNotification: (key) => levelAt(rules, notifications, key) ?? 50,
    ban: levelAt(rules, levels, 'ban') ?? 50,
    kick: levelAt(rules, levels, 'kick') ?? 50,
    redact: levelAt(rules, levels, 'redact') ?? 50,
    invite: levelAt(rules, levels, 'invite') ?? 0,
  }
}

type Whose = { state: AuthState; content: JsonObject | undefined; userId: string }

function levelOfUser(rules: RoomRules, { state, content, userId }: Whose): PowerLevel {
  const create = state.get('m.room.create', '')
  if (create !== undefined && isCreatorAboveAll(rules, create, userId)) return Infinity
  if (content === undefined) {
    return !rules.creatorsAboveAll && create !== undefined && creatorOf(rules, create) === userId ? CREATOR_LEVEL : 0
  }
  const users = objectAt(content, 'users') ?? NOTHING
  return levelAt(rules, users, userId) ?? levelAt(rules, content, 'users_default') ?? 0
}
