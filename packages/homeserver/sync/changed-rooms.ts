/** Which of a user's rooms a sync has to look at: their newest positions are compared, not the rooms. */
import type { UserMembership } from '../rooms/user-memberships.ts'
import type { SyncContext } from './sync-context.ts'

export type ChangedRoom = {
  readonly membership: UserMembership
  /** What the client has of this room; undefined where it was not in it at the token: then it gets the room whole. */
  readonly since: number | undefined
  /** The user had been in the room before the token, and came back after it: the client may still have the earlier stay. */
  readonly isAnother: boolean
}

export async function changedRooms(
  context: SyncContext,
  memberships: ReadonlyMap<number, UserMembership>,
): Promise<readonly ChangedRoom[]> {
  const { since, filter } = context
  if (since === undefined) return initialRooms(context, memberships)
  const changed: ChangedRoom[] = []
  for (const membership of memberships.values()) {
    const isJoined = membership.membership === 'join'
    const isGone = membership.membership === 'leave' || membership.membership === 'ban'
    if (membership.position <= since) {
      if (isJoined && (context.fullState || touchedSince(context, membership.roomNid, since)))
        changed.push({ membership, since, isAnother: false })
      else if (isGone && context.fullState && filter.room.includeLeave)
        changed.push({ membership, since, isAnother: false })
      continue
    }
    const known = isJoined || isGone ? await knownAt(context, membership, since) : 'nothing'
    changed.push({ membership, since: known === 'room' ? since : undefined, isAnother: known === 'earlier-stay' })
  }
  return changed
}

function initialRooms(context: SyncContext, memberships: ReadonlyMap<number, UserMembership>): readonly ChangedRoom[] {
  return [...memberships.values()]
    .filter(({ membership }) => context.filter.room.includeLeave || (membership !== 'leave' && membership !== 'ban'))
    .map((membership) => ({ membership, since: undefined, isAnother: false }))
}

/** Rooms with anything new. Newest positions are known since the start; from before it, every room is looked at. */
function touchedSince({ deps }: SyncContext, roomNid: number, since: number): boolean {
  return since < deps.streams.startPosition || deps.streams.roomPosition(roomNid) > since
}

/** What a client has of a room at a token: back along what each member event replaced. */
async function knownAt(
  { deps }: SyncContext,
  membership: UserMembership,
  position: number,
): Promise<'room' | 'earlier-stay' | 'nothing'> {
  let event = await deps.events.byNid(membership.eventNid)
  let isNewest = true
  while (event !== undefined) {
    if (event.position <= position) {
      if (event.pdu.content['membership'] === 'join') return isNewest ? 'room' : 'earlier-stay'
      isNewest = false
    }
    event = event.replacesNid === undefined ? undefined : await deps.events.byNid(event.replacesNid)
  }
  return 'nothing'
}
