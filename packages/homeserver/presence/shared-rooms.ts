/** Who shares a room with whom, from what is in memory: presence is shown to nobody else. */
import type { Homeserver } from '../homeserver.ts'
import type { UserMembership } from '../rooms/user-memberships.ts'

type SharedDeps = Pick<Homeserver, 'heads' | 'memberships'>

/** Up to so many users are compared by their own lists of rooms, more of them by the members of the reader's rooms. */
const ONE_BY_ONE_MAX = 30

/** Those of the users who are in one of the rooms that the reader is in. */
export async function sharingRooms(
  deps: SharedDeps,
  rooms: ReadonlyMap<number, UserMembership>,
  users: ReadonlySet<number>,
): Promise<ReadonlySet<number>> {
  return users.size <= ONE_BY_ONE_MAX ? sharingOneByOne(deps, rooms, users) : sharingByRoom(deps, rooms, users)
}

async function sharingOneByOne(
  deps: SharedDeps,
  rooms: ReadonlyMap<number, UserMembership>,
  users: ReadonlySet<number>,
): Promise<ReadonlySet<number>> {
  const found = new Set<number>()
  for (const userNid of users) {
    const theirs = await deps.memberships.of(userNid)
    const [fewer, others] = theirs.size < rooms.size ? [theirs, rooms] : [rooms, theirs]
    for (const { roomNid, membership } of fewer.values()) {
      if (membership !== 'join' || others.get(roomNid)?.membership !== 'join') continue
      found.add(userNid)
      break
    }
  }
  return found
}

async function sharingByRoom(
  deps: SharedDeps,
  rooms: ReadonlyMap<number, UserMembership>,
  users: ReadonlySet<number>,
): Promise<ReadonlySet<number>> {
  const left = new Set(users)
  const found = new Set<number>()
  for (const { roomNid, membership } of rooms.values()) {
    if (membership !== 'join') continue
    const { joined } = (await deps.heads.byNid(roomNid)).members
    const [fewer, others] = joined.size < left.size ? [joined, left] : [left, joined]
    for (const userNid of fewer) {
      if (!others.has(userNid)) continue
      found.add(userNid)
      left.delete(userNid)
    }
    if (left.size === 0) break
  }
  return found
}
