/** Which of a user's rooms a sync has to look at: their newest positions are compared, not the rooms. */
import type { UserMembership } from '../rooms/user-memberships.ts'
import type { SyncContext } from './sync-context.ts'

export type ChangedRoom = {
  readonly membership: UserMembership
  /** What the client has of this room; undefined where it was not in it at the token: then it gets the room whole. */
  readonly since: number | undefined
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
        changed.push({ membership, since })
      else if (isGone && context.fullState && filter.room.includeLeave) changed.push({ membership, since })
      continue
    }
    const before = isJoined || isGone ? await membershipAt(context, membership, since) : undefined
    changed.push({ membership, since: before === 'join' ? since : undefined })
  }
  return changed
}

function initialRooms(context: SyncContext, memberships: ReadonlyMap<number, UserMembership>): readonly ChangedRoom[] {
  return [...memberships.values()]
    .filter(({ membership }) => context.filter.room.includeLeave || (membership !== 'leave' && membership !== 'ban'))
    .map((membership) => ({ membership, since: undefined }))
}

/** Rooms with anything new. Newest positions are known since the start; from before it, every room is looked at. */
function touchedSince({ deps }: SyncContext, roomNid: number, since: number): boolean {
  return since < deps.streams.startPosition || deps.streams.roomPosition(roomNid) > since
}

/** The user's membership at a position: back along what each member event replaced. */
async function membershipAt(
  { deps }: SyncContext,
  membership: UserMembership,
  position: number,
): Promise<string | undefined> {
  let event = await deps.events.byNid(membership.eventNid)
  while (event !== undefined && event.position > position) {
    event = event.replacesNid === undefined ? undefined : await deps.events.byNid(event.replacesNid)
  }
  return event?.pdu.content['membership'] as string | undefined
}
