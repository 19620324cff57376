/**
 * The core of a room's state, out of all that another server told: what authorises events of the user who joins, and what
 * clients need to show the room. It is chosen before the events are checked, for checking them all is what takes long.
 */
import type { ServerName, UserId } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { parseServerName } from '@holdfast/protocol/ids/server-name'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'

export type ToldRoom = {
  /** The state before our event. */
  readonly state: readonly JsonObject[]
  readonly authChain: readonly JsonObject[]
}

/** A room as told in answer to a join. */
export type ToldJoin = ToldRoom & {
  /** The members are left out of the state. */
  readonly membersOmitted: boolean
  /** Servers in the room, if it said so. */
  readonly servers: readonly ServerName[]
}

export const CORE_LIMITS = {
  /** A state that is not larger is taken in at once. */
  wholeAtOnceMax: 1_000,
  /** State other than members; with more of it, what no client needs at once is left for later. */
  otherStateMax: 500,
  /** With more events than this the core is none. */
  eventsMax: 1_500,
  heroesMax: 10,
  namedServersMax: 5_000,
} as const

/** Types that authorise events. */
const AUTHORISING = new Set(['m.room.create', 'm.room.power_levels', 'm.room.join_rules', 'm.room.third_party_invite'])

/** State of these types is in the core in any case, so that it can be set while the rest is missing. */
const CORE_TYPES = new Set([
  ...AUTHORISING,
  'm.room.avatar',
  'm.room.canonical_alias',
  'm.room.encryption',
  'm.room.guest_access',
  'm.room.history_visibility',
  'm.room.name',
  'm.room.pinned_events',
  'm.room.policy',
  'm.room.server_acl',
  'm.room.tombstone',
  'm.room.topic',
])

const MEMBER = 'm.room.member'

/** State of such a type is in the core, if the room has it. */
export function isOfCore(type: string): boolean {
  return CORE_TYPES.has(type)
}

/** What our own events are judged by. */
export function isAuthorising({ type, state_key: key }: JsonObject): boolean {
  return JUDGED_BY.has(type) && key === ''
}

const JUDGED_BY = new Set<JsonValue | undefined>(['m.room.create', 'm.room.power_levels', 'm.room.join_rules'])

/** undefined: the room is to be taken in whole, at once. */
export function coreOf(told: ToldJoin, people: Iterable<UserId>): ToldRoom | undefined {
  if (!told.membersOmitted && told.state.length <= CORE_LIMITS.wholeAtOnceMax) return undefined
  const { state, authChain } = told
  if (told.membersOmitted && state.length + authChain.length <= CORE_LIMITS.eventsMax) return { state, authChain }
  const others = state.filter(({ type }) => type !== MEMBER)
  const isShort = others.length <= CORE_LIMITS.otherStateMax
  const chosen = isShort ? others : others.filter(({ type }) => typeof type === 'string' && CORE_TYPES.has(type))
  const users = new Set<JsonValue | undefined>([...people, ...heroesOf(state), ...chosen.map(({ sender }) => sender)])
  const authorising = [...chosen, ...authChain].filter(({ type }) => typeof type === 'string' && AUTHORISING.has(type))
  for (const { sender } of authorising) users.add(sender)
  addThoseWhoBroughtThem(users, [...state, ...authChain])
  const isWanted = (event: JsonObject): boolean => event['type'] === MEMBER && users.has(event['state_key'])
  const core = {
    state: [...chosen, ...state.filter(isWanted)],
    authChain: [...authorising, ...state.filter(isWanted), ...authChain.filter(isWanted)],
  }
  return core.state.length + core.authChain.length > CORE_LIMITS.eventsMax ? undefined : core
}

/** Whose events have to be here before those of the users: the member event of somebody who was invited cites the inviter's. */
function addThoseWhoBroughtThem(users: Set<JsonValue | undefined>, events: readonly JsonObject[]): void {
  const members = events.filter(({ type, sender, state_key: key }) => type === MEMBER && sender !== key)
  for (let before = -1; before !== users.size && users.size <= CORE_LIMITS.eventsMax;) {
    before = users.size
    for (const { sender, state_key: key, content } of members) {
      if (!users.has(key)) continue
      users.add(sender)
      if (isObject(content)) users.add(content['join_authorised_via_users_server'])
    }
  }
}

/** A few who have joined, for a room without a name is called by them. */
function heroesOf(state: readonly JsonObject[]): readonly JsonValue[] {
  const heroes: JsonValue[] = []
  for (const { type, state_key: key, content } of state) {
    if (type !== MEMBER || !isObject(content) || content['membership'] !== 'join' || key === undefined) continue
    heroes.push(key)
    if (heroes.length === CORE_LIMITS.heroesMax) break
  }
  return heroes
}

/** The servers of the room, as it was told: nobody has checked that. */
export function namedServersOf({ servers, state }: ToldJoin, ourName: ServerName): readonly ServerName[] {
  const named = new Set<ServerName>(servers)
  for (const { type, state_key: key, content } of state) {
    if (named.size >= CORE_LIMITS.namedServersMax) break
    if (type !== MEMBER || !isObject(content) || content['membership'] !== 'join') continue
    const userId = typeof key === 'string' ? parseUserId(key) : undefined
    if (userId !== undefined) named.add(serverNameOf(userId))
  }
  named.delete(ourName)
  return [...named].slice(0, CORE_LIMITS.namedServersMax)
}

/** Of the list that an answer has under `servers_in_room`. */
export function parseServers(value: JsonValue | undefined): readonly ServerName[] {
  if (!Array.isArray(value)) return []
  const some = (value as readonly JsonValue[]).slice(0, CORE_LIMITS.namedServersMax)
  return some.flatMap((name) => (typeof name === 'string' ? (parseServerName(name) ?? []) : []))
}
