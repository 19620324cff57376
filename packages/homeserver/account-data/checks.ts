/** Who may touch which account data. */
import { matrixError } from '@holdfast/protocol/errors'
import type { RoomId, UserId } from '@holdfast/protocol/ids/brand'
import { fitsUtf8 } from '@holdfast/protocol/text/utf8'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'

const TYPE_BYTES_MAX = 255

/** @throws {MatrixError} M_FORBIDDEN */
export function assertOwn(requester: Requester, userId: UserId): void {
  if (requester.userId !== userId) throw matrixError('M_FORBIDDEN', 'This belongs to another user.')
}

/** @throws {MatrixError} M_INVALID_PARAM */
export function assertType(type: string): string {
  if (type === '' || !fitsUtf8(type, TYPE_BYTES_MAX)) {
    throw matrixError('M_INVALID_PARAM', `The type of account data has 1 to ${TYPE_BYTES_MAX} bytes.`)
  }
  return type
}

/** Types that have an endpoint of their own. */
const MANAGED = new Map([
  ['m.fully_read', '/rooms/{roomId}/read_markers'],
  ['m.push_rules', '/pushrules'],
])

/** @throws {MatrixError} M_BAD_JSON (405) for what has an endpoint of its own */
export function assertSettable(type: string): void {
  const endpoint = MANAGED.get(assertType(type))
  if (endpoint !== undefined) throw matrixError('M_BAD_JSON', `${type} is set through ${endpoint}.`, { status: 405 })
}

/** The room must be one that the user has to do with. @throws {MatrixError} M_NOT_FOUND */
export async function accountRoomNid(
  deps: Pick<Homeserver, 'heads' | 'memberships'>,
  requester: Requester,
  roomId: RoomId,
): Promise<number> {
  const roomNid = await deps.heads.roomNid(roomId)
  if (roomNid === undefined || !(await deps.memberships.of(requester.userNid)).has(roomNid)) {
    throw matrixError('M_NOT_FOUND', 'You have nothing to do with a room of this id.')
  }
  return roomNid
}
