/** Which users of this server came into a room: the servers there may not know their devices. */
import { createSlices } from '@holdfast/platform/clock/slices'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { type LoggedMove, type Move, staySince } from '../../e2e-keys/moves.ts'
import type { RecentLog } from '../../e2e-keys/recent-log.ts'
import type { Homeserver } from '../../homeserver.ts'
import { localJoins } from '../../storage/device-lists.ts'
import { membershipInRoom } from '../../storage/memberships.ts'

export type JoinDeps = Pick<Homeserver, 'db' | 'clock' | 'dictionary' | 'events' | 'serverName'> & {
  readonly moves: RecentLog<LoggedMove>
}

export type LocalJoin = Move & { readonly position: number }

type Range = { readonly after: number; readonly upTo: number }

/**
 * The joins of (after, upTo] of those who are still in the room. A new name or picture is none. The position of one whose
 * place changed again meanwhile is that of the change.
 */
export async function localJoinsSince(deps: JoinDeps, range: Range): Promise<readonly LocalJoin[]> {
  const slice = createSlices(deps.clock)
  const joins: LocalJoin[] = []
  for (const move of await localMoves(deps, range)) {
    const row = await membershipInRoom(deps.db, move)
    if (row === undefined || row.position <= range.after || (await isFirst(deps, row.event_nid))) continue
    const stay = await staySince(deps, move, range.after)
    if (stay.isJoined && !stay.isUnbroken) joins.push({ ...move, position: row.position })
    await slice()
  }
  return joins
}

/** Whoever begins a room meets nobody; servers that come later ask by themselves. */
async function isFirst({ events }: JoinDeps, eventNid: number): Promise<boolean> {
  const event = await events.byNid(eventNid)
  return event === undefined || event.pdu.depth <= FIRST_JOIN_DEPTH
}

/** After the creation of the room. */
const FIRST_JOIN_DEPTH = 2

/** From memory, or from storage after a start. */
async function localMoves(deps: JoinDeps, range: Range): Promise<readonly Move[]> {
  const recent = deps.moves.since(range.after)
  if (recent === undefined) {
    const rows = await localJoins(deps.db.heavy, range.after)
    return rows.map((row) => ({ roomNid: row.room_nid, userNid: row.user_nid }))
  }
  const userNids = [...new Set(recent.map(({ userNid }) => userNid))]
  const userIds = await deps.dictionary.userIds(userNids)
  const local = new Set(userNids.filter((_, index) => serverNameOf(userIds[index]!) === deps.serverName))
  const moves = recent.filter(({ position, userNid }) => position <= range.upTo && local.has(userNid))
  return [...new Map(moves.map((move) => [`${move.roomNid} ${move.userNid}`, move])).values()]
}
