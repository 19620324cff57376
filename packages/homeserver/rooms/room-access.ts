/** From a room id in a request to the room, without telling strangers whether it exists. */
import { matrixError } from '@holdfast/protocol/errors'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../homeserver.ts'
import type { RoomHead } from './room-heads.ts'

/**
 * The room's integer id, for requests whose authorisation follows.
 * @throws {MatrixError} M_FORBIDDEN, as for a room that exists and that the requester is not in
 */
export async function roomNidFor(deps: Pick<Homeserver, 'heads'>, roomId: RoomId): Promise<number> {
  const roomNid = await deps.heads.roomNid(roomId)
  if (roomNid === undefined) throw notInRoom()
  return roomNid
}

/**
 * The head of a room that the user is joined to.
 * @throws {MatrixError} M_FORBIDDEN
 */
export async function joinedRoom(
  deps: Pick<Homeserver, 'heads'>,
  who: { readonly userNid: number; readonly roomId: RoomId },
): Promise<RoomHead> {
  const head = await deps.heads.byId(who.roomId)
  if (head === undefined || !head.members.joined.has(who.userNid)) throw notInRoom()
  return head
}

export function notInRoom(): Error {
  return matrixError('M_FORBIDDEN', 'You are not in this room.')
}
