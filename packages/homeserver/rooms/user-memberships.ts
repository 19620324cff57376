/** The rooms of each user, in memory while the user is active. */
import { LRUCache } from 'lru-cache'
import type { Database } from '@holdfast/platform/database/database'
import { membershipOfCode, membershipsOfUser, type Membership } from '../storage/memberships.ts'

export type UserMembership = {
  readonly roomNid: number
  readonly membership: Membership
  /** The member event, and its position. */
  readonly eventNid: number
  readonly position: number
}

export type UserMemberships = {
  /** By room; without the rooms the user has forgotten. */
  of(userNid: number): Promise<ReadonlyMap<number, UserMembership>>
  /** Call after a commit that changed a membership of this user. */
  changed(userNid: number): void
}

const CACHED_MEMBERSHIPS_MAX = 200_000

export function openUserMemberships(db: Database): UserMemberships {
  const cache = new LRUCache<number, ReadonlyMap<number, UserMembership>>({
    maxSize: CACHED_MEMBERSHIPS_MAX,
    sizeCalculation: (rooms) => rooms.size + 1,
  })
  const loading = new Map<number, Promise<ReadonlyMap<number, UserMembership>>>()

  async function load(userNid: number): Promise<ReadonlyMap<number, UserMembership>> {
    const rows = await membershipsOfUser(db, userNid)
    return new Map(
      rows.map((row) => [
        row.room_nid,
        {
          roomNid: row.room_nid,
          membership: membershipOfCode(row.membership),
          eventNid: row.event_nid,
          position: row.position,
        },
      ]),
    )
  }

  return {
    of: async (userNid) => {
      const known = cache.get(userNid)
      if (known !== undefined) return known
      let running = loading.get(userNid)
      if (running === undefined) {
        running = load(userNid)
        loading.set(userNid, running)
        void running
          .then((rooms) => {
            // Only a load that no change overtook is kept.
            if (loading.get(userNid) === running) cache.set(userNid, rooms)
          })
          .catch(() => undefined)
          .finally(() => {
            if (loading.get(userNid) === running) loading.delete(userNid)
          })
      }
      return running
    },
    changed: (userNid) => {
      cache.delete(userNid)
      loading.delete(userNid)
    },
  }
}
