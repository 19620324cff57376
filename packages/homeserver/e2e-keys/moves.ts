/** Who came into which room or went out of it: it decides whose devices somebody has to know. */
import type { Homeserver } from '../homeserver.ts'
import type { RoomChange, Streams } from '../streams/streams.ts'
import { membershipsOfUsers, movesAround } from '../storage/device-lists.ts'
import { membershipInRoom, MEMBERSHIP_CODES } from '../storage/memberships.ts'
import { membershipsBack } from '../rooms/membership-history.ts'
import type { RecentLog } from './recent-log.ts'

export type Move = { readonly roomNid: number; readonly userNid: number }
export type LoggedMove = Move & { readonly position: number }

/** The streams, with every change of a membership that is published noted. */
export function notingMoves(streams: Streams, moves: RecentLog<LoggedMove>): Streams {
  return {
    ...streams,
    get startPosition() {
      return streams.startPosition
    },
    roomChanged: (change: RoomChange) => {
      const { position, roomNid } = change
      for (const userNid of change.membershipChanged) moves.add({ position, roomNid, userNid })
      streams.roomChanged(change)
    },
  }
}

/** All moves that can concern a user, and maybe others. Each once. */
export async function movesSince(
  deps: Pick<Homeserver, 'db' | 'e2eKeys'>,
  userNid: number,
  after: number,
): Promise<readonly Move[]> {
  const recent = deps.e2eKeys.moves.since(after)
  if (recent === undefined) {
    const rows = await movesAround(deps.db.heavy, { userNid, after })
    return rows.map((row) => ({ roomNid: row.room_nid, userNid: row.user_nid }))
  }
  const seen = new Map<number, Set<number>>()
  return recent.filter((move) => {
    const users = seen.get(move.roomNid) ?? new Set()
    seen.set(move.roomNid, users)
    return users.size !== users.add(move.userNid).size
  })
}

/** What became of somebody in a room since a position. */
export type Stay = {
  readonly isJoined: boolean
  readonly wasJoined: boolean
  /** In the room at the position, now, and all the time between. */
  readonly isUnbroken: boolean
}

/** Of some users in one room, by user. */
export async function staysSince(
  deps: Pick<Homeserver, 'db' | 'events'>,
  of: { readonly roomNid: number; readonly userNids: readonly number[] },
  after: number,
): Promise<ReadonlyMap<number, Stay>> {
  const rows = new Map((await membershipsOfUsers(deps.db, of)).map((row) => [row.user_nid, row]))
  const stays = new Map<number, Stay>()
  for (const userNid of of.userNids) stays.set(userNid, await stayOf(deps, rows.get(userNid), after))
  return stays
}

export async function staySince(deps: Pick<Homeserver, 'db' | 'events'>, who: Move, after: number): Promise<Stay> {
  return stayOf(deps, await membershipInRoom(deps.db, who), after)
}

async function stayOf(
  deps: Pick<Homeserver, 'events'>,
  row: { readonly membership: number; readonly event_nid: number } | undefined,
  after: number,
): Promise<Stay> {
  if (row === undefined) return { isJoined: false, wasJoined: false, isUnbroken: false }
  const isJoined = row.membership === MEMBERSHIP_CODES.join
  let isUnbroken = isJoined
  for await (const { event, membership } of membershipsBack(deps, row.event_nid)) {
    const wasJoined = membership === 'join'
    isUnbroken &&= wasJoined
    if (event.position <= after) return { isJoined, wasJoined, isUnbroken }
  }
  return { isJoined, wasJoined: false, isUnbroken: false }
}
