/** A room as one user may look at it: as it is, as it was when they left, or over the fence of a world-readable one. */
import type { RoomId } from '@holdfast/protocol/ids/brand'
import type { StateMap } from '@holdfast/protocol/state/state-map'
import { parseHistoryVisibility } from '@holdfast/protocol/visibility/history-visibility'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { stateEventAt } from './current-state.ts'
import { departurePosition } from './departure.ts'
import { notInRoom } from './room-access.ts'
import type { RoomHead } from './room-heads.ts'
import { stateAtPosition } from '../storage/events.ts'

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
