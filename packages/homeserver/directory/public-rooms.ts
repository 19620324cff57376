/** The public room directory: its rooms, largest first, in pages. <https://spec.matrix.org/v1.19/client-server-api/#published-room-directory> */
import { LRUCache } from 'lru-cache'
import { upTo } from '@holdfast/platform/cache/up-to'
import { yieldToLoop } from '@holdfast/platform/clock/yield'
import { matrixError } from '@holdfast/protocol/errors'
import type { Homeserver } from '../homeserver.ts'
import { publishedRooms } from '../storage/published-rooms.ts'
import { isOfType, matchesSearch, publicRoom, type PublicRoom } from './public-room.ts'

type DirectoryDeps = Pick<Homeserver, 'db' | 'heads' | 'dictionary' | 'events' | 'streams' | 'publicRooms'>

/** Entries by room, with the position they were made at: good until the room changes. */
export type PublicRoomCache = LRUCache<number, { readonly room: PublicRoom; readonly position: number }>

const CACHED_ROOMS_MAX = 20_000

export function openPublicRoomCache(): PublicRoomCache {
  return new LRUCache(upTo(CACHED_ROOMS_MAX))
}

export type DirectoryQuery = {
  readonly limit: number | undefined
  readonly since: string | undefined
  readonly searchTerm: string | undefined
  readonly roomTypes: readonly (string | null)[] | undefined
}

export type DirectoryPage = {
  readonly chunk: readonly PublicRoom[]
  readonly total_room_count_estimate: number
  readonly next_batch?: string
  readonly prev_batch?: string
}

const PAGE_ROOMS_MAX = 100
const ROOMS_PER_SLICE = 50

export async function directoryPage(deps: DirectoryDeps, query: DirectoryQuery): Promise<DirectoryPage> {
  const all = await directoryRooms(deps)
  const { searchTerm, roomTypes } = query
  const matching = all
    .filter((room) => searchTerm === undefined || matchesSearch(room, searchTerm))
    .filter((room) => roomTypes === undefined || isOfType(room, roomTypes))
    .sort((a, b) => b.num_joined_members - a.num_joined_members || (a.room_id < b.room_id ? -1 : 1))
  const start = query.since === undefined ? 0 : offsetOf(query.since)
  const size = Math.min(Math.max(query.limit ?? PAGE_ROOMS_MAX, 1), PAGE_ROOMS_MAX)
  const end = start + size
  return {
    chunk: matching.slice(start, end),
    total_room_count_estimate: matching.length,
    ...(end < matching.length ? { next_batch: `p${end}` } : {}),
    ...(start > 0 ? { prev_batch: `p${Math.max(0, start - size)}` } : {}),
  }
}

async function directoryRooms(deps: DirectoryDeps): Promise<PublicRoom[]> {
  const rooms: PublicRoom[] = []
  for (const [index, roomNid] of (await publishedRooms(deps.db)).entries()) {
    if (index % ROOMS_PER_SLICE === ROOMS_PER_SLICE - 1) await yieldToLoop()
    rooms.push(await entryOf(deps, roomNid))
  }
  return rooms
}

async function entryOf(deps: DirectoryDeps, roomNid: number): Promise<PublicRoom> {
  const known = deps.publicRooms.get(roomNid)
  if (known !== undefined && deps.streams.roomPosition(roomNid) <= known.position) return known.room
  const position = deps.streams.position()
  const room = await publicRoom(deps, await deps.heads.byNid(roomNid))
  deps.publicRooms.set(roomNid, { room, position })
  return room
}

function offsetOf(token: string): number {
  const offset = /^p[0-9]{1,9}$/.test(token) ? Number(token.slice(1)) : undefined
  if (offset === undefined) throw matrixError('M_INVALID_PARAM', '`since` is not a token of this directory.')
  return offset
}
