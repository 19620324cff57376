/** Whether a server had members in the states of a room's past. */
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { ServerName, UserId } from '@holdfast/protocol/ids/brand'
import { diffStateMaps, stateMapGet, type StateMap } from '@holdfast/protocol/state/state-map'
import { parseMembership } from '@holdfast/protocol/visibility/history-visibility'
import type { Homeserver } from '../../homeserver.ts'
import { memberKeysOfServer } from '../../storage/server-members.ts'
import type { RoomHead } from '../room-heads.ts'

type MembershipDeps = Pick<Homeserver, 'db' | 'events'>

export type Presence = { readonly joined: boolean; readonly invited: boolean }

export type ServerMemberships = {
  /** The state keys of the members that the server has or had. */
  keys(): Promise<ReadonlySet<number>>
  at(map: StateMap): Promise<Presence>
}

/** Member events read at once. */
const BATCH_EVENTS = 100
const NOBODY: Presence = { joined: false, invited: false }

/** By the current state they were found with: any change of the state may bring another member. */
const keysByState = new WeakMap<StateMap, Map<ServerName, Promise<ReadonlySet<number>>>>()

/** For the events of one request: states that follow one another cost what differs between them. */
export function serverMemberships(deps: MembershipDeps, head: RoomHead, server: ServerName): ServerMemberships {
  let last: { readonly map: StateMap; readonly presence: Presence } | undefined

  async function at(map: StateMap): Promise<Presence> {
    const keys = await keysOf(deps, head, server)
    if (last === undefined || diffStateMaps(last.map, map).some(({ key }) => keys.has(key))) {
      last = { map, presence: await presenceIn(deps, map, keys) }
    }
    return last.presence
  }

  return { keys: () => keysOf(deps, head, server), at }
}

function keysOf(deps: MembershipDeps, head: RoomHead, server: ServerName): Promise<ReadonlySet<number>> {
  let servers = keysByState.get(head.state.map)
  if (servers === undefined) {
    servers = new Map()
    keysByState.set(head.state.map, servers)
  }
  let keys = servers.get(server)
  if (keys === undefined) {
    keys = loadKeys(deps, head.roomNid, server)
    servers.set(server, keys)
    // A read that failed is not remembered.
    keys.catch(() => servers.delete(server))
  }
  return keys
}

async function loadKeys(deps: MembershipDeps, roomNid: number, server: ServerName): Promise<ReadonlySet<number>> {
  const rows = await memberKeysOfServer(deps.db.heavy, { roomNid, server })
  const own = rows.filter(({ user_id }) => serverNameOf(user_id as UserId) === server)
  return new Set(own.map(({ state_key_nid }) => state_key_nid))
}

async function presenceIn(deps: MembershipDeps, map: StateMap, keys: ReadonlySet<number>): Promise<Presence> {
  const eventNids = [...keys].flatMap((key) => stateMapGet(map, key) ?? [])
  let presence = NOBODY
  for (let start = 0; start < eventNids.length; start += BATCH_EVENTS) {
    const events = await deps.events.byNids(eventNids.slice(start, start + BATCH_EVENTS))
    for (const { pdu } of events.values()) {
      const membership = parseMembership(pdu.content)
      if (membership === 'join') return { joined: true, invited: presence.invited }
      if (membership === 'invite') presence = { joined: false, invited: true }
    }
  }
  return presence
}
