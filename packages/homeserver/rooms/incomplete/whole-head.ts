/** The head of a room for those who need its whole state, and wait for it. */
import type { RoomId } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../../homeserver.ts'
import type { RoomHead } from '../room-heads.ts'

export type WholeDeps = Pick<Homeserver, 'heads' | 'incompleteRooms'>

/** @throws {MatrixError} M_LIMIT_EXCEEDED if it takes too long */
export async function wholeHead(deps: WholeDeps, roomId: RoomId): Promise<RoomHead | undefined> {
  const head = await deps.heads.byId(roomId)
  if (head === undefined || deps.incompleteRooms.get(head.roomNid) === undefined) return head
  await deps.incompleteRooms.whole(head.roomNid)
  return deps.heads.byNid(head.roomNid)
}

/** Waits until the room is whole, if the user is in it: nobody else learns that there is such a room. */
export async function awaitWhole(
  deps: WholeDeps,
  { userNid, roomId }: { readonly userNid: number; readonly roomId: RoomId },
): Promise<void> {
  const head = await deps.heads.byId(roomId)
  if (head?.members.joined.has(userNid) === true) await deps.incompleteRooms.whole(head.roomNid)
}
