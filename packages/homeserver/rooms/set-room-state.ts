/** State as clients set it, with what some of its types ask for besides the authorisation rules. */
import type { EventId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { checkCanonicalAlias } from './canonical-alias.ts'
import { isOfCore } from './incomplete/core-events.ts'
import { assertAdmitsUs } from './room-acl.ts'
import { sendGuestAccess } from './send-guest-access.ts'
import { sendState } from './send-state.ts'
import { checkTombstone } from './tombstone.ts'

export type RoomStateChange = {
  readonly roomNid: number
  readonly type: string
  readonly stateKey: string
  readonly content: JsonObject
}

/** @throws {MatrixError} as `sendState` does, and M_INVALID_PARAM, M_BAD_ALIAS */
export async function setRoomState(
  deps: Pick<
    Homeserver,
    'db' | 'heads' | 'dictionary' | 'events' | 'serverName' | 'roomQueue' | 'clock' | 'incompleteRooms'
  >,
  requester: Requester,
  { roomNid, type, stateKey, content: given }: RoomStateChange,
): Promise<EventId> {
  await awaitReplaced(deps, requester, { roomNid, type, stateKey })
  const content = type === 'm.room.member' ? withoutVoucher(given) : given
  const event = { type, stateKey, sender: requester.userId, content, originServerTs: deps.clock.nowMs() }
  const sending = { roomNid, requester, event }
  if (stateKey !== '') return sendState(deps, sending)
  if (type === 'm.room.guest_access') return sendGuestAccess(deps, sending)
  if (type === 'm.room.canonical_alias') await checkCanonicalAlias(deps, roomNid, content)
  if (type === 'm.room.server_acl') assertAdmitsUs(deps, content)
  if (type === 'm.room.tombstone') await checkTombstone(deps, roomNid, content)
  return sendState(deps, sending)
}

/** In a room whose state is not all here: what stands in the place may be in the rest. */
async function awaitReplaced(
  { heads, incompleteRooms }: Pick<Homeserver, 'heads' | 'incompleteRooms'>,
  { userId, userNid }: Requester,
  { roomNid, type, stateKey }: Omit<RoomStateChange, 'content'>,
): Promise<void> {
  if (incompleteRooms.get(roomNid) === undefined || isOfCore(type)) return
  const { joined } = (await heads.byNid(roomNid)).members
  // Somebody else's membership, or an own one where there was none; a new name is no such thing.
  if (type === 'm.room.member' && stateKey === userId && joined.has(userNid)) return
  await incompleteRooms.whole(roomNid)
}

/**
 * Servers say who vouches for a join, after they looked whether anybody may; a client that could name somebody would be in
 * every restricted room with a member of its server. <https://spec.matrix.org/v1.19/client-server-api/#restricted-rooms>
 */
function withoutVoucher(content: JsonObject): JsonObject {
  const { join_authorised_via_users_server: _voucher, ...rest } = content
  return rest
}
