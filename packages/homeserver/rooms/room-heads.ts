/** The newest state of each room, in memory while the room is used; rebuilt from storage on a miss. */
import { LRUCache } from 'lru-cache'
import { upTo } from '@holdfast/platform/cache/up-to'
import type { RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import type { Database } from '@holdfast/platform/database/database'
import { roomServers } from '../storage/federation-rooms.ts'
import { usersInRoom } from '../storage/memberships.ts'
import { roomByNid, roomNidById, type RoomRow } from '../storage/rooms.ts'
import { unpackNids } from './edges.ts'
import type { EventStore, StoredEvent } from './event-store.ts'
import type { RoomIdentity } from './room-identity.ts'
import type { RoomState, StateStore } from './state-store.ts'

/** Whether anybody of this server is in the room, so that other servers tell us what happens there. */
export function isResident({ members }: Pick<RoomHead, 'members'>): boolean {
  let remote = 0
  for (const joined of members.servers.values()) remote += joined
  return members.joined.size > remote
}

/** Replaced, never changed, and only after a commit. */
export type RoomHead = RoomIdentity & {
  /** The current state. */
  readonly state: RoomState
  readonly extremities: readonly StoredEvent[]
  readonly depth: number
  /** Position of the newest timeline event. */
  readonly lastPosition: number
  /** The current state is at least as old as this. */
  readonly stateSince: number
  readonly members: RoomMembers
}

/**
 * Who is in the room now. Shared by successive heads of a room and changed in place right after each commit, because
 * a copy would cost O(members) for every join.
 */
export type RoomMembers = {
  readonly joined: Set<number>
  readonly invited: Set<number>
  /** How many joined members each other server has; 0 for one that is only said to be in the room (see `incomplete/`). */
  readonly servers: Map<ServerName, number>
}

export type RoomHeads = {
  byNid(roomNid: number): Promise<RoomHead>
  /** Like `byNid`, for a room that may not be stored yet. */
  find(roomNid: number): Promise<RoomHead | undefined>
  byId(roomId: RoomId): Promise<RoomHead | undefined>
  roomNid(roomId: RoomId): Promise<number | undefined>
  /** The head if it is in memory. */
  peek(roomNid: number): RoomHead | undefined
  replace(head: RoomHead): void
  /** Drops the head, so that the next use reads it from storage. */
  drop(roomNid: number): void
}

const CACHE_BYTES_MAX = 48 * 1024 * 1024
const HEAD_BYTES = 4_000
const BYTES_PER_STATE_ENTRY = 24
const BYTES_PER_MEMBER = 24
const CACHED_ROOM_IDS_MAX = 50_000

export function openRoomHeads(deps: { db: Database; events: EventStore; states: StateStore }): RoomHeads {
  const heads = new LRUCache<number, RoomHead>({
    maxSize: CACHE_BYTES_MAX,
    maxEntrySize: CACHE_BYTES_MAX,
    sizeCalculation: (head) =>
      HEAD_BYTES + head.state.map.size * BYTES_PER_STATE_ENTRY + head.members.joined.size * BYTES_PER_MEMBER,
  })
  const nids = new LRUCache<RoomId, number>(upTo(CACHED_ROOM_IDS_MAX))
  const loading = new Map<number, Promise<RoomHead>>()
  // A load that overlaps a commit may have read the rows of before; its result is not kept.
  const replacedWhileLoading = new Set<number>()

  async function load(roomNid: number): Promise<RoomHead> {
    const row = await roomByNid(deps.db, roomNid)
    if (row === undefined) throw new Error(`room ${roomNid} is missing`)
    const head = await headOfRow(deps, row)
    if (replacedWhileLoading.delete(roomNid)) return heads.get(roomNid) ?? load(roomNid)
    heads.set(roomNid, head)
    return head
  }

  async function byNid(roomNid: number): Promise<RoomHead> {
    const known = heads.get(roomNid)
    if (known !== undefined) return known
    let running = loading.get(roomNid)
    if (running === undefined) {
      running = load(roomNid).finally(() => loading.delete(roomNid))
      loading.set(roomNid, running)
    }
    return running
  }

  async function roomNid(roomId: RoomId): Promise<number | undefined> {
    const known = nids.get(roomId)
    if (known !== undefined) return known
    const found = (await roomNidById(deps.db, roomId))?.room_nid
    if (found !== undefined) nids.set(roomId, found)
    return found
  }

  return {
    byNid,
    find: async (nid) => {
      const isStored = heads.has(nid) || (await roomByNid(deps.db, nid)) !== undefined
      return isStored ? byNid(nid) : undefined
    },
    byId: async (roomId) => {
      const nid = await roomNid(roomId)
      return nid === undefined ? undefined : byNid(nid)
    },
    roomNid,
    peek: (nid) => heads.get(nid),
    replace: (head) => {
      if (loading.has(head.roomNid)) replacedWhileLoading.add(head.roomNid)
      heads.set(head.roomNid, head)
    },
    drop: (nid) => {
      if (loading.has(nid)) replacedWhileLoading.add(nid)
      heads.delete(nid)
    },
  }
}

async function headOfRow(
  deps: { db: Database; events: EventStore; states: StateStore },
  row: RoomRow,
): Promise<RoomHead> {
  const identity = await deps.events.room(row.room_nid)
  const state = await deps.states.load(row.state_nid)
  const extremityNids = unpackNids(row.extremities)
  const extremities = await deps.events.byNids(extremityNids)
  const joined = new Set<number>()
  const invited = new Set<number>()
  for (const member of await usersInRoom(deps.db, { roomNid: row.room_nid, memberships: ['join', 'invite'] })) {
    if (member.membership === 1) joined.add(member.user_nid)
    else invited.add(member.user_nid)
  }
  const servers = new Map<ServerName, number>()
  for (const server of await roomServers(deps.db, row.room_nid)) {
    servers.set(server.server_name as ServerName, server.joined)
  }
  return {
    ...identity,
    state,
    extremities: extremityNids.map((nid) => extremities.get(nid)!),
    depth: row.depth,
    lastPosition: row.last_position,
    stateSince: row.last_position,
    members: { joined, invited, servers },
  }
}
