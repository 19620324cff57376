/**
 * Whose devices a user has to ask for again, and whose no longer matter. The cost follows what changed since the
 * token, not the members of rooms, but for rooms that the user came into or went out of themselves.
 * <https://spec.matrix.org/v1.19/client-server-api/#e2e-extensions-to-sync>
 */
import type { Homeserver } from '../homeserver.ts'
import { sharingRooms } from '../presence/shared-rooms.ts'
import type { UserMembership } from '../rooms/user-memberships.ts'
import { deviceListChanges, privateKeyChanges } from '../storage/device-lists.ts'
import { movesSince, staySince, staysSince, type Move, type Stay } from './moves.ts'

type ChangeDeps = Pick<Homeserver, 'db' | 'e2eKeys' | 'events' | 'heads' | 'memberships'>

export type ListChanges = { readonly changed: ReadonlySet<number>; readonly left: ReadonlySet<number> }

type Rooms = ReadonlyMap<number, UserMembership>

export async function listChangesSince(
  deps: ChangeDeps,
  reader: { readonly userNid: number; readonly memberships: Rooms },
  after: number,
): Promise<ListChanges> {
  const moves = await movesSince(deps, reader.userNid, after)
  const devices = await changedUsers(deps, reader.userNid, after)
  if (moves.length === 0 && devices.shared.size === 0 && devices.own.size === 0) return NONE
  const met = moves.length === 0 ? NOBODY_MET : await peopleMet(deps, reader, { moves, after })
  const changed = new Set([...met.came, ...devices.own])
  const others = devices.shared.difference(changed)
  for (const userNid of await sharingRooms(deps, reader.memberships, others)) changed.add(userNid)
  if (others.has(reader.userNid)) changed.add(reader.userNid)
  const left = met.gone.difference(await sharingRooms(deps, reader.memberships, met.gone))
  return { changed: changed.difference(left), left }
}

const NONE: ListChanges = { changed: new Set(), left: new Set() }

/** Changes read at once. */
const PAGE = 5_000

/** Whose devices or keys changed, whether they are of any concern to the reader or not. */
async function changedUsers(
  deps: ChangeDeps,
  readerNid: number,
  after: number,
): Promise<{ readonly shared: ReadonlySet<number>; readonly own: ReadonlySet<number> }> {
  const shared = new Set<number>()
  const recent = deps.e2eKeys.deviceLists.log.since(after)
  if (recent !== undefined) {
    const own = new Set<number>()
    for (const change of recent) {
      if (change.readerNid === undefined) shared.add(change.userNid)
      else if (change.readerNid === readerNid) own.add(change.userNid)
    }
    return { shared, own }
  }
  for (let from = after; ;) {
    const rows = await deviceListChanges(deps.db.heavy, { after: from, limit: PAGE })
    for (const row of rows) shared.add(row.user_nid)
    if (rows.length < PAGE) break
    from = rows.at(-1)!.position
  }
  return { shared, own: new Set(await privateKeyChanges(deps.db, { readerNid, after })) }
}

/** Who may share a room with the reader only since then, and who may not do so any more. */
type Met = { readonly came: ReadonlySet<number>; readonly gone: ReadonlySet<number> }

const NOBODY_MET: Met = { came: new Set(), gone: new Set() }

async function peopleMet(
  deps: ChangeDeps,
  reader: { readonly userNid: number; readonly memberships: Rooms },
  { moves, after }: { readonly moves: readonly Move[]; readonly after: number },
): Promise<Met> {
  const { userNid, memberships } = reader
  const own = new Set(moves.filter((move) => move.userNid === userNid).map(({ roomNid }) => roomNid))
  const others = moves.filter(
    (move) =>
      move.userNid !== userNid && (own.has(move.roomNid) || memberships.get(move.roomNid)?.membership === 'join'),
  )
  if (own.size === 0 && others.length === 0) return NOBODY_MET
  const { entered, exited } = await ownMoves(deps, userNid, { rooms: own, after })
  const kept = new Map(
    [...memberships].filter(([roomNid, { membership }]) => membership === 'join' && !entered.has(roomNid)),
  )
  const moved = new Map<number, ReadonlyMap<number, Stay>>()
  for (const [roomNid, inRoom] of Map.groupBy(others, (move) => move.roomNid)) {
    // Of a room that the reader entered everybody is met.
    if (!kept.has(roomNid) && !exited.has(roomNid)) continue
    moved.set(roomNid, await staysSince(deps, { roomNid, userNids: inRoom.map((move) => move.userNid) }, after))
  }
  const { came, gone } = othersMoves(kept, moved)
  for (const user of await newlyMet(deps, { entered, kept, moved })) came.add(user)
  for (const user of await partedFrom(deps, exited, moved)) gone.add(user)
  gone.delete(userNid)
  return { came, gone }
}

/** Who came into the rooms that the reader was in all the time, and who went out of them. */
function othersMoves(kept: Rooms, moved: Moved): { readonly came: Set<number>; readonly gone: Set<number> } {
  const came = new Set<number>()
  const gone = new Set<number>()
  for (const [roomNid, stays] of moved) {
    if (!kept.has(roomNid)) continue
    for (const [userNid, stay] of stays) {
      if (stay.isJoined && !stay.isUnbroken) came.add(userNid)
      else if (!stay.isJoined && stay.wasJoined) gone.add(userNid)
    }
  }
  return { came, gone }
}

/** The rooms that the reader is in, but was not all the time; and those they were in and are not. */
async function ownMoves(
  deps: ChangeDeps,
  userNid: number,
  { rooms, after }: { readonly rooms: ReadonlySet<number>; readonly after: number },
): Promise<{ readonly entered: ReadonlySet<number>; readonly exited: ReadonlySet<number> }> {
  const entered = new Set<number>()
  const exited = new Set<number>()
  for (const roomNid of rooms) {
    const stay = await staySince(deps, { roomNid, userNid }, after)
    if (stay.isJoined && !stay.isUnbroken) entered.add(roomNid)
    else if (!stay.isJoined && stay.wasJoined) exited.add(roomNid)
  }
  return { entered, exited }
}

type Moved = ReadonlyMap<number, ReadonlyMap<number, Stay>>

/**
 * Members of the rooms that the reader entered, without those they shared another room with all the time. In their first
 * room the reader is one of them: from now on others need the reader's devices, and so do the reader's devices each other.
 */
async function newlyMet(
  deps: ChangeDeps,
  of: { readonly entered: ReadonlySet<number>; readonly kept: Rooms; readonly moved: Moved },
): Promise<ReadonlySet<number>> {
  const members = new Set<number>()
  for (const roomNid of of.entered) {
    for (const member of (await deps.heads.byNid(roomNid)).members.joined) members.add(member)
  }
  if (members.size === 0) return members
  const restless = new Set<number>()
  for (const stays of of.moved.values()) for (const userNid of stays.keys()) restless.add(userNid)
  const known = await sharingRooms(deps, of.kept, members.difference(restless))
  return members.difference(known)
}

/** Who was in a room when the reader left it. Who came later is not theirs to know. */
async function partedFrom(deps: ChangeDeps, exited: ReadonlySet<number>, moved: Moved): Promise<ReadonlySet<number>> {
  const parted = new Set<number>()
  for (const roomNid of exited) {
    const stays = moved.get(roomNid)
    for (const member of (await deps.heads.byNid(roomNid)).members.joined) {
      if (stays?.has(member) !== true) parted.add(member)
    }
    for (const [userNid, stay] of stays ?? []) if (stay.wasJoined) parted.add(userNid)
  }
  return parted
}
