/** What an EDU may speak of: users of the server that sent it, and rooms that both servers are in. */
import { matrixError, type MatrixError } from '@holdfast/protocol/errors'
import type { RoomId, ServerName, UserId } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { parseRoomId } from '@holdfast/protocol/ids/room-id'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import type { JsonValue } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../../homeserver.ts'
import { roomAcl } from '../../rooms/room-acl.ts'
import { isResident, type RoomHead } from '../../rooms/room-heads.ts'

/** The user, if it is one of the server's own. */
export function ownUser(origin: ServerName, raw: JsonValue | undefined): UserId | undefined {
  const userId = typeof raw === 'string' ? parseUserId(raw) : undefined
  return userId !== undefined && serverNameOf(userId) === origin ? userId : undefined
}

/** @throws {MatrixError} M_FORBIDDEN */
export function requireOwnUser(origin: ServerName, raw: JsonValue | undefined): UserId {
  const userId = ownUser(origin, raw)
  if (userId === undefined) throw matrixError('M_FORBIDDEN', 'A server speaks for its own users only.')
  return userId
}

/** The room, if both servers are in it and it lets the other one take part. */
export async function sharedRoom(
  deps: Pick<Homeserver, 'heads' | 'dictionary' | 'events'>,
  origin: ServerName,
  raw: JsonValue | undefined,
): Promise<RoomHead | undefined> {
  const roomId: RoomId | undefined = typeof raw === 'string' ? parseRoomId(raw) : undefined
  const head = roomId === undefined ? undefined : await deps.heads.byId(roomId)
  if (head === undefined || !isResident(head) || !head.members.servers.has(origin)) return undefined
  return (await roomAcl(deps, head)).allows(origin) ? head : undefined
}

/** The integer id of a user who is in the room; users of whom nothing was heard are not written down. */
export async function memberNid(
  deps: Pick<Homeserver, 'dictionary'>,
  { members }: Pick<RoomHead, 'members'>,
  userId: UserId,
): Promise<number | undefined> {
  const userNid = await deps.dictionary.userNid(userId)
  return userNid !== undefined && members.joined.has(userNid) ? userNid : undefined
}

export function malformed(message: string): MatrixError {
  return matrixError('M_INVALID_PARAM', message)
}
