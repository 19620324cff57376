/** Where a user stopped being in a room: what came before they may go on reading. */
import { stateMapGet } from '@holdfast/protocol/state/state-map'
import type { Homeserver } from '../homeserver.ts'
import { stateAtPosition, stateKeyHistory } from '../storage/events.ts'
import type { UserMembership } from './user-memberships.ts'

type DepartureDeps = Pick<Homeserver, 'db' | 'events' | 'states'>

/** Member events looked at, newest first: most left with one of the last. */
const MEMBER_EVENTS_FIRST = 10
/** Who was asked in and thrown out more often since they were there is read as never having been. */
const MEMBER_EVENTS_MAX = 1_000

/**
 * Position where a user who is not in the room stopped being joined; undefined if they never were. What came later (a ban,
 * its end, an invitation that was refused) does not move the departure.
 */
export async function departurePosition(deps: DepartureDeps, membership: UserMembership): Promise<number | undefined> {
  const { eventNid, position, roomNid } = membership
  const member = await deps.events.byNid(eventNid)
  if (member?.stateKeyNid === undefined) return undefined
  const stay: Stay = { deps, roomNid, memberKey: member.stateKeyNid }
  if (member.position === position && (await isEndOf(stay, position))) return position
  const found = await lastEnd(stay, position, MEMBER_EVENTS_FIRST)
  return found === 'beyond' ? lastEnd(stay, position, MEMBER_EVENTS_MAX).then(neverBeyond) : found
}

/** Where a user who was joined at a position, and is no more, stopped being. */
export async function departureAfter(
  deps: DepartureDeps,
  { eventNid, position, roomNid }: UserMembership,
  joined: number,
): Promise<number> {
  const memberKey = (await deps.events.byNid(eventNid))?.stateKeyNid
  return memberKey === undefined ? position : firstOut({ deps, roomNid, memberKey }, { joined, out: position })
}

function neverBeyond(end: number | 'beyond' | undefined): number | undefined {
  return end === 'beyond' ? undefined : end
}

type Stay = { readonly deps: DepartureDeps; readonly roomNid: number; readonly memberKey: number }

async function isEndOf(stay: Stay, position: number): Promise<boolean> {
  return !(await isJoined(stay, position)) && isJoined(stay, position - 1)
}

/**
 * By the room's states, and not by what member events replaced: on another branch the user may have left twice, or never have
 * come, or be back for a moment. 'beyond': there are more member events than were looked at.
 */
async function lastEnd(stay: Stay, position: number, limit: number): Promise<number | 'beyond' | undefined> {
  const { deps, roomNid, memberKey: stateKeyNid } = stay
  const history = await stateKeyHistory(deps.db, { roomNid, stateKeyNid, limit })
  let out = position
  for (const { position: earlier } of history) {
    if (earlier >= out) continue
    if (await isJoined(stay, earlier)) return firstOut(stay, { joined: earlier, out })
    out = earlier
  }
  return history.length < limit ? undefined : 'beyond'
}

/** Where in the range the user stopped being joined. */
async function firstOut(stay: Stay, range: { readonly joined: number; readonly out: number }): Promise<number> {
  let { joined, out } = range
  if (await isJoined(stay, out - 1)) return out
  while (out - joined > 1) {
    const middle = Math.floor((joined + out) / 2)
    if (await isJoined(stay, middle)) joined = middle
    else out = middle
  }
  return out
}

async function isJoined({ deps, roomNid, memberKey }: Stay, position: number): Promise<boolean> {
  const at = await stateAtPosition(deps.db, { roomNid, position })
  if (at === undefined) return false
  const nid = stateMapGet((await deps.states.load(at.state_nid)).map, memberKey)
  const member = nid === undefined ? undefined : await deps.events.byNid(nid)
  return member?.pdu.content['membership'] === 'join'
}
