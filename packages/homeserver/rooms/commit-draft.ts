/** Everything that the events of a draft change, as one list of statements. */
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import type { Statement } from '@holdfast/platform/database/database'
import { insertEvent } from '../storage/events.ts'
import { MEMBERSHIP_CODES, setMembership, type Membership } from '../storage/memberships.ts'
import { insertRoom, moveRoomHead } from '../storage/rooms.ts'
import { packEdges, packNids } from './edges.ts'
import { eventIdHash } from './event-store.ts'
import type { Prefetched } from './prefetch.ts'
import type { DraftEvent, RoomDraft } from './room-draft.ts'
import { storeState } from './state-store.ts'

/** A change of somebody's membership by an event of the draft. */
export type MembershipChange = {
  readonly userNid: number
  readonly membership: Membership
  readonly event: DraftEvent
}

/** The statements of a draft with at least one event; side statements come last, in the order of `draft.sides`. */
export function statementsOfDraft(draft: RoomDraft, prefetched: Prefetched): readonly Statement[] {
  const { roomNid } = draft.room
  const statements: Statement[] = []
  for (const drafted of draft.events) {
    statements.push(insertEventOf(drafted, prefetched))
    if (drafted.changesState) statements.push(storeState(drafted.state, roomNid))
  }
  // Only the last membership of each user counts; the one before was never seen.
  const last = new Map(membershipChanges(draft, prefetched).map((change) => [change.userNid, change]))
  for (const { userNid, membership, event } of last.values()) {
    statements.push(
      setMembership({ roomNid, userNid, membership, eventNid: event.event.nid, positionOffset: event.positionOffset }),
    )
  }
  statements.push(headStatement(draft))
  return [...statements, ...draft.sides.map((side) => side.statement)]
}

export function membershipChanges(draft: RoomDraft, prefetched: Prefetched): readonly MembershipChange[] {
  const changes: MembershipChange[] = []
  for (const event of draft.events) {
    const { pdu } = event.event
    if (pdu.type !== 'm.room.member' || pdu.stateKey === undefined) continue
    const userId = parseUserId(pdu.stateKey)
    const membership = pdu.content['membership']
    if (userId === undefined || typeof membership !== 'string' || !Object.hasOwn(MEMBERSHIP_CODES, membership)) continue
    changes.push({ userNid: prefetched.userNid(userId), membership: membership as Membership, event })
  }
  return changes
}

function insertEventOf({ event, positionOffset, edges }: DraftEvent, prefetched: Prefetched): Statement {
  return insertEvent({
    nid: event.nid,
    roomNid: event.roomNid,
    positionOffset,
    eventId: event.pdu.eventId,
    eventIdHash: eventIdHash(event.pdu.eventId),
    typeNid: prefetched.eventTypeNid(event.pdu.type),
    senderNid: event.senderNid,
    stateKeyNid: event.stateKeyNid ?? null,
    originServerTs: event.pdu.originServerTs,
    depth: event.pdu.depth,
    flags: event.flags,
    stateNid: event.stateNid,
    edges: packEdges(edges),
    replacesNid: event.replacesNid ?? null,
    deviceNid: event.deviceNid ?? null,
    transactionId: event.transactionId ?? null,
    json: event.json,
  })
}

function headStatement(draft: RoomDraft): Statement {
  const values = {
    roomNid: draft.room.roomNid,
    stateNid: draft.state.nid,
    extremities: packNids(draft.tips.map((event) => event.nid)),
    depth: draft.depth,
    lastPositionOffset: draft.events.length - 1,
  }
  if (draft.head === undefined) return insertRoom({ ...values, roomId: draft.roomId, version: draft.room.version })
  return moveRoomHead({ ...values, fromPosition: draft.head.lastPosition })
}
