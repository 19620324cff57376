/**
 * Whether what we know of a remote user's devices is still true: somebody here and the user must have been in a room
 * together ever since, or their server had no reason to tell us of changes.
 */
import type { Homeserver } from '../homeserver.ts'
import { membershipsBack } from '../rooms/membership-history.ts'
import type { UserMembership } from '../rooms/user-memberships.ts'
import { firstLocalJoins } from '../storage/device-lists.ts'
import type { RemoteListRow } from '../storage/remote-devices.ts'
import { staySince } from './moves.ts'

type HeldDeps = Pick<Homeserver, 'db' | 'events' | 'memberships'>

/** Of some lists those that hold. `rooms` are those of a local user. */
export async function heldLists(
  deps: HeldDeps,
  rooms: ReadonlyMap<number, UserMembership>,
  lists: readonly RemoteListRow[],
): Promise<ReadonlySet<number>> {
  const current = lists.filter((list) => list.is_stale === 0)
  const own = await startsOf(deps, rooms)
  const held = new Set<number>()
  const doubtful: RemoteListRow[] = []
  for (const list of current) {
    if (await isHeld(deps, list, own)) held.add(list.user_nid)
    else doubtful.push(list)
  }
  if (doubtful.length === 0) return held
  // The reader may be new here, and others have been in the room for longer.
  const first = await firstLocalJoins(deps.db.heavy, [...own.keys()])
  const starts = new Map(first.map((row) => [row.room_nid, row.position]))
  for (const list of doubtful) if (await isHeld(deps, list, starts)) held.add(list.user_nid)
  return held
}

/** Since when the user has been in each of their rooms without a break. */
async function startsOf(
  deps: Pick<Homeserver, 'events'>,
  rooms: ReadonlyMap<number, UserMembership>,
): Promise<ReadonlyMap<number, number>> {
  const starts = new Map<number, number>()
  for (const { roomNid, membership, eventNid } of rooms.values()) {
    if (membership !== 'join') continue
    for await (const back of membershipsBack(deps, eventNid)) {
      if (back.membership !== 'join') break
      starts.set(roomNid, back.event.position)
    }
  }
  return starts
}

async function isHeld(deps: HeldDeps, list: RemoteListRow, starts: ReadonlyMap<number, number>): Promise<boolean> {
  for (const theirs of (await deps.memberships.of(list.user_nid)).values()) {
    const start = starts.get(theirs.roomNid)
    if (theirs.membership !== 'join' || start === undefined || start > list.position) continue
    if (theirs.position <= list.position) return true
    const stay = await staySince(deps, { roomNid: theirs.roomNid, userNid: list.user_nid }, list.position)
    if (stay.isUnbroken) return true
  }
  return false
}
