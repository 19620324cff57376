/** The first question of every handshake: is this a room into which we can let anybody? */
import { matrixError } from '@holdfast/protocol/errors'
import type { RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../../homeserver.ts'
import { wholeHead } from '../incomplete/whole-head.ts'
import { roomAcl } from '../room-acl.ts'
import { isResident, type RoomHead } from '../room-heads.ts'

type RoomDeps = Pick<Homeserver, 'heads' | 'dictionary' | 'events' | 'incompleteRooms'>

/**
 * A room that users of this server are in, so that we know its state. Its access control list admits the asking server.
 * @throws {MatrixError} M_NOT_FOUND, M_FORBIDDEN
 */
export async function requireAdmittingRoom(deps: RoomDeps, origin: ServerName, roomId: RoomId): Promise<RoomHead> {
  const head = await wholeHead(deps, roomId)
  if (head === undefined || !isResident(head)) throw matrixError('M_NOT_FOUND', 'Nobody of this server is in the room.')
  if (!(await roomAcl(deps, head)).allows(origin)) {
    throw matrixError('M_FORBIDDEN', `The room's access control list shuts ${origin} out.`)
  }
  return head
}
