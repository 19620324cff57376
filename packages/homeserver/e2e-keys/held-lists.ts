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
  const own = ownStarts(deps, rooms)
  const held = new Set<number>()
  const doubtful: RemoteListRow[] = []
  for (const list of lists) {
    if (list.is_stale === 1) continue
    if (await isHeld(deps, list, own)) held.add(list.user_nid)
    else doubtful.push(list)
  }
  if (doubtful.length === 0) return held
  // The reader may be new here, and others have been in the room for longer.
  const joined = [...rooms.values()].filter(({ membership }) => membership === 'join').map(({ roomNid }) => roomNid)
  const starts = new Map((await firstLocalJoins(deps.db.heavy, joined)).map((row) => [row.room_nid, row.position]))
  for (const list of doubtful) if (await isHeld(deps, list, (roomNid) => starts.get(roomNid))) held.add(list.user_nid)
  return held
}

/** Since when somebody of this server has been in a room without a break. */
type StartOf = (roomNid: number) => Promise<number | undefined> | number | undefined

function ownStarts(deps: Pick<Homeserver, 'events'>, rooms: ReadonlyMap<number, UserMembership>): StartOf {
  const starts = new Map<number, Promise<number | undefined>>()
  const startIn = async (own: UserMembership | undefined): Promise<number | undefined> => {
    if (own?.membership !== 'join') return undefined
    let start: number | undefined
    for await (const back of membershipsBack(deps, own.eventNid)) {
      if (back.membership !== 'join') break
      start = back.event.position
    }
    return start
  }
  return (roomNid) => {
    const start = starts.get(roomNid) ?? startIn(rooms.get(roomNid))
    starts.set(roomNid, start)
    return start
  }
}

async function isHeld(deps: HeldDeps, list: RemoteListRow, startOf: StartOf): Promise<boolean> {
  for (const theirs of (await deps.memberships.of(list.user_nid)).values()) {
    if (theirs.membership !== 'join') continue
    const start = await startOf(theirs.roomNid)
    if (start === undefined || start > list.position) continue
    if (theirs.position <= list.position) return true
    const stay = await staySince(deps, { roomNid: theirs.roomNid, userNid: list.user_nid }, list.position)
    if (stay.isUnbroken) return true
  }
  return false
}
