/** What never changes about a room that has a state; of others the version may turn out to be another one. */
import { LRUCache } from 'lru-cache'
import { upTo } from '@holdfast/platform/cache/up-to'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import { rulesFor, type RoomRules } from '@holdfast/protocol/room-version/rules'
import type { Reader } from '@holdfast/platform/database/database'
import { roomByNid } from '../storage/rooms.ts'

export type RoomIdentity = {
  readonly roomNid: number
  readonly roomId: RoomId
  readonly version: string
  readonly rules: RoomRules
}

const CACHED_ROOMS_MAX = 20_000

export type RoomIdentities = {
  (roomNid: number): Promise<RoomIdentity>
  /** Its version was changed. */
  forget(roomNid: number): void
}

/** Finds identities by room nid. @throws if there is no such room, or its version is unknown: only a broken database can cause that */
export function openRoomIdentities(db: Reader): RoomIdentities {
  const cache = new LRUCache<number, RoomIdentity>(upTo(CACHED_ROOMS_MAX))
  const find = async (roomNid: number): Promise<RoomIdentity> => {
    const known = cache.get(roomNid)
    if (known !== undefined) return known
    const row = await roomByNid(db, roomNid)
    if (row === undefined) throw new Error(`room ${roomNid} is missing`)
    const rules = rulesFor(row.version)
    if (rules === undefined) throw new Error(`room ${row.room_id} has the unknown version ${row.version}`)
    const identity = { roomNid, roomId: row.room_id as RoomId, version: row.version, rules }
    cache.set(roomNid, identity)
    return identity
  }
  return Object.assign(find, { forget: (roomNid: number) => void cache.delete(roomNid) })
}
