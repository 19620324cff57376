/** The first question of every read by another server: may it look into this room at all? */
import { matrixError } from '@holdfast/protocol/errors'
import type { RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../../homeserver.ts'
import { wholeHead } from '../incomplete/whole-head.ts'
import { roomAcl } from '../room-acl.ts'
import type { RoomHead } from '../room-heads.ts'

type RoomDeps = Pick<Homeserver, 'heads' | 'dictionary' | 'events'>
export type ServedRoomDeps = RoomDeps & Pick<Homeserver, 'incompleteRooms'>

/**
 * The head of a room that the asking server is in. Ask this before anything is looked up by event id, so that the answer
 * does not tell whether there is such an event. `wasThere` says whether one that is in the room no more may ask all the same.
 * @throws {MatrixError} M_NOT_FOUND for a room that is not known here, M_FORBIDDEN
 */
export async function requireServedRoom(
  deps: ServedRoomDeps,
  origin: ServerName,
  roomId: RoomId,
  wasThere: (head: RoomHead) => Promise<boolean> = () => Promise.resolve(false),
): Promise<RoomHead> {
  const present = await deps.heads.byId(roomId)
  // Only whom somebody named as being in the room has a reason to wait until that is known.
  const head = present?.members.servers.has(origin) === true ? await wholeHead(deps, roomId) : present
  if (head === undefined) throw matrixError('M_NOT_FOUND', 'This server does not know the room.')
  if (!(await roomAcl(deps, head)).allows(origin)) {
    throw matrixError('M_FORBIDDEN', `The room's access control list shuts ${origin} out.`)
  }
  if (!isServerInRoom(head, origin) && !(await wasThere(head)))
    throw matrixError('M_FORBIDDEN', `Nobody of ${origin} is in the room.`)
  return head
}

/** Whether the room may be served to the server, without saying why not. */
export async function isServed(deps: RoomDeps, origin: ServerName, head: RoomHead): Promise<boolean> {
  return isServerInRoom(head, origin) && (await roomAcl(deps, head)).allows(origin)
}

/** Whether another server has joined members in the room now. */
export function isServerInRoom({ members }: Pick<RoomHead, 'members'>, server: ServerName): boolean {
  return (members.servers.get(server) ?? 0) > 0
}
