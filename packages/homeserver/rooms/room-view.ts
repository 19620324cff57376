/** A room as one user may look at it: as it is, as it was when they left, or over the fence of a world-readable one. */
import type { RoomId } from '@holdfast/protocol/ids/brand'
import { stateMapGet, type StateMap } from '@holdfast/protocol/state/state-map'
import { parseHistoryVisibility } from '@holdfast/protocol/visibility/history-visibility'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { stateEventAt } from './current-state.ts'
import type { StoredEvent } from './event-store.ts'
import { membershipsBack } from './membership-history.ts'
import { notInRoom } from './room-access.ts'
import type { RoomHead } from './room-heads.ts'
import { stateAtPosition } from '../storage/events.ts'
import type { UserMembership } from './user-memberships.ts'

export type RoomView = {
  readonly head: RoomHead
  /** The state that the user may see: the present one, or that of their departure. */
  readonly state: StateMap
  /** The end of what the user may see. */
  readonly upTo: number
  readonly as: 'member' | 'former-member' | 'onlooker'
}

type ViewDeps = Pick<Homeserver, 'db' | 'heads' | 'memberships' | 'events' | 'states' | 'dictionary'>

/** @throws {MatrixError} M_FORBIDDEN, also for a room that does not exist */
export async function roomView(deps: ViewDeps, requester: Requester, roomId: RoomId): Promise<RoomView> {
  const head = await deps.heads.byId(roomId)
  if (head === undefined) throw notInRoom()
  const present = { head, state: head.state.map, upTo: head.lastPosition }
  if (head.members.joined.has(requester.userNid)) return { ...present, as: 'member' }
  const visibility = await stateEventAt(deps, head.state.map, { type: 'm.room.history_visibility', stateKey: '' })
  const isOpen = parseHistoryVisibility(visibility?.pdu.content) === 'world_readable'
  if (isOpen) return { ...present, as: 'onlooker' }
  const membership = (await deps.memberships.of(requester.userNid)).get(head.roomNid)
  const departure = membership === undefined ? undefined : await departurePosition(deps, membership)
  if (departure === undefined) throw notInRoom()
  const at = await stateAtPosition(deps.db, { roomNid: head.roomNid, position: departure })
  return { head, state: (await deps.states.load(at!.state_nid)).map, upTo: departure, as: 'former-member' }
}

/**
 * Position where a user who is not in the room stopped being joined; undefined if they never were. What came later (a ban,
 * its end, an invitation that was refused) does not move the departure.
 */
export async function departurePosition(
  deps: Pick<Homeserver, 'db' | 'events' | 'states'>,
  membership: UserMembership,
): Promise<number | undefined> {
  let departure: StoredEvent | undefined
  for await (const past of membershipsBack(deps, membership.eventNid)) {
    if (past.membership !== 'join') departure = past.event
    else if (departure !== undefined && (await tookEffect(deps, departure))) return departure.position
    // Branches that met brought the departure about, and not the event, or not when it came.
    else return membership.position
  }
  return undefined
}

/** Whether the room's state had the event as soon as it was here. */
async function tookEffect(
  deps: Pick<Homeserver, 'db' | 'states'>,
  { nid, position, roomNid, stateKeyNid }: StoredEvent,
): Promise<boolean> {
  const at = await stateAtPosition(deps.db, { roomNid, position })
  if (at === undefined || stateKeyNid === undefined) return false
  return stateMapGet((await deps.states.load(at.state_nid)).map, stateKeyNid) === nid
}
