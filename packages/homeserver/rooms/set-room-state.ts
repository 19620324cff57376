/** State as clients set it, with what some of its types ask for besides the authorisation rules. */
import type { EventId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { checkCanonicalAlias } from './canonical-alias.ts'
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
  deps: Pick<Homeserver, 'db' | 'heads' | 'dictionary' | 'events' | 'serverName' | 'roomQueue' | 'clock'>,
  requester: Requester,
  { roomNid, type, stateKey, content: given }: RoomStateChange,
): Promise<EventId> {
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

/**
 * Servers say who vouches for a join, after they looked whether anybody may; a client that could name somebody would be in
 * every restricted room with a member of its server. <https://spec.matrix.org/v1.19/client-server-api/#restricted-rooms>
 */
function withoutVoucher(content: JsonObject): JsonObject {
  const { join_authorised_via_users_server: _voucher, ...rest } = content
  return rest
}
