/** Which of a user's rooms a sync has to look at: their newest positions are compared, not the rooms. */
import { stateEventAt } from '../rooms/current-state.ts'
import { stateKeyHistory } from '../storage/events.ts'
import { membershipsBack } from '../rooms/membership-history.ts'
import type { UserMembership } from '../rooms/user-memberships.ts'
import { stateAt } from './room-state.ts'
import type { SyncContext } from './sync-context.ts'

export type ChangedRoom = {
  readonly membership: UserMembership
  /** What the client has of this room; undefined where it was not in it at the token: then it gets the room whole. */
  readonly since: number | undefined
  /** The user had been in the room before the token, and came back after it: the client may still have the earlier stay. */
  readonly isAnother: boolean
  /** At the token the user was invited, or knocked: of a stay before that the client may lack the end. */
  readonly wasAsked: boolean
}

const PLAIN = { isAnother: false, wasAsked: false } as const

export async function changedRooms(
  context: SyncContext,
  memberships: ReadonlyMap<number, UserMembership>,
): Promise<readonly ChangedRoom[]> {
  if (context.since === undefined) return initialRooms(context, memberships)
  const rooms = await roomsSince(context, memberships, context.since)
  return rooms.map((room) => (isPartOf(context, room) ? { ...room, since: undefined, isAnother: true } : room))
}

/** Whether what the client has of the room is a part of its state, as the rest came after the token. */
function isPartOf({ deps }: SyncContext, { since, membership: { membership, roomNid } }: ChangedRoom): boolean {
  return since !== undefined && membership === 'join' && deps.incompleteRooms.wholeSince(roomNid) > since
}

async function roomsSince(
  context: SyncContext,
  memberships: ReadonlyMap<number, UserMembership>,
  since: number,
): Promise<readonly ChangedRoom[]> {
  const { filter } = context
  const changed: ChangedRoom[] = []
  for (const membership of memberships.values()) {
    const isJoined = membership.membership === 'join'
    const isGone = membership.membership === 'leave' || membership.membership === 'ban'
    if (membership.position <= since) {
      if (isJoined && (context.fullState || touchedSince(context, membership.roomNid, since)))
        changed.push({ membership, since, ...PLAIN })
      else if (isGone && context.fullState && filter.room.includeLeave) changed.push({ membership, since, ...PLAIN })
      continue
    }
    if (isJoined || isGone) changed.push(await changedSince(context, membership, since))
    else changed.push({ membership, since: undefined, ...PLAIN })
  }
  return changed
}

function initialRooms(context: SyncContext, memberships: ReadonlyMap<number, UserMembership>): readonly ChangedRoom[] {
  return [...memberships.values()]
    .filter(({ membership }) => context.filter.room.includeLeave || (membership !== 'leave' && membership !== 'ban'))
    .map((membership) => ({ membership, since: undefined, ...PLAIN }))
}

/** Rooms with anything new. Newest positions are known since the start; from before it, every room is looked at. */
function touchedSince({ deps }: SyncContext, roomNid: number, since: number): boolean {
  return since < deps.streams.startPosition || deps.streams.roomPosition(roomNid) > since
}

/** A room of which the user's membership changed after the token. */
async function changedSince(context: SyncContext, membership: UserMembership, since: number): Promise<ChangedRoom> {
  if (await wasJoined(context, membership, since)) return { membership, since, ...PLAIN }
  const isAnother = await hadJoined(context, membership, since)
  return { membership, since: undefined, isAnother, wasAsked: await wasAsked(context, membership, since) }
}

async function wasAsked({ deps }: SyncContext, { eventNid }: UserMembership, since: number): Promise<boolean> {
  for await (const { event, membership } of membershipsBack(deps, eventNid)) {
    if (event.position <= since) return membership === 'invite' || membership === 'knock'
  }
  return false
}

/** Member events looked at. */
const HISTORY_MAX = 1_000

/** On whatever branch: a client that is told too often that there is a gap has lost nothing. */
async function hadJoined(
  { deps }: SyncContext,
  { roomNid, eventNid }: UserMembership,
  since: number,
): Promise<boolean> {
  const stateKeyNid = (await deps.events.byNid(eventNid))?.stateKeyNid
  if (stateKeyNid === undefined) return false
  const history = await stateKeyHistory(deps.db, { roomNid, stateKeyNid, limit: HISTORY_MAX })
  const earlier = await deps.events.fromRows(history.filter(({ position }) => position <= since))
  return earlier.some(({ pdu }) => pdu.content['membership'] === 'join')
}

/** By the room's state at the token: where branches meet, a member event may have replaced another one than that state had. */
async function wasJoined(
  { deps, requester }: SyncContext,
  { roomNid }: UserMembership,
  since: number,
): Promise<boolean> {
  const { map } = await stateAt(deps, roomNid, since)
  const member = await stateEventAt(deps, map, { type: 'm.room.member', stateKey: requester.userId })
  return member?.pdu.content['membership'] === 'join'
}
