/** A server asks us, as the policy server of a room, to sign an event. <https://spec.matrix.org/v1.19/server-server-api/#post_matrixpolicyv1sign> */
import { matrixError } from '@holdfast/protocol/errors'
import type { RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { parseRoomId } from '@holdfast/protocol/ids/room-id'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Homeserver } from '../../../homeserver.ts'
import { requireAdmittingRoom } from '../../../rooms/admit/admitting-room.ts'
import { checkIncoming, type ReceivedValue } from '../../../rooms/receive/check-incoming.ts'
import { isServerInRoom } from '../../../rooms/serve/served-room.ts'
import type { RoomHead } from '../../../rooms/room-heads.ts'
import type { EventSignaturesDeps } from '../../keys/event-signatures.ts'
import type { OwnPolicyServer } from './own-policy-server.ts'

export type SignForOthersDeps = EventSignaturesDeps &
  Pick<Homeserver, 'heads' | 'dictionary' | 'events' | 'policyServers' | 'serverName' | 'incompleteRooms'>

/**
 * @returns the signature
 * @throws {MatrixError} M_UNRECOGNIZED if this server is no policy server, M_NOT_FOUND for a room that does not use it, M_FORBIDDEN,
 *   M_BAD_JSON, M_LIMIT_EXCEEDED
 */
export async function signForOthers(
  deps: SignForOthersDeps,
  { origin, received }: { readonly origin: ServerName; readonly received: ReceivedValue },
): Promise<string> {
  const ours = deps.policyServers.own
  if (ours === undefined) throw matrixError('M_UNRECOGNIZED', 'This server is no policy server.')
  const roomId = roomOf(received.value)
  const head = await requireAdmittingRoom(deps, origin, roomId)
  await assertUsed(deps, { head, ours })
  const { incoming, problems } = await checkIncoming(deps, head, { values: [received] })
  const [event] = incoming
  if (event === undefined) throw matrixError('M_BAD_JSON', problemOf(problems.values()))
  if (!isServerInRoom(head, origin) && serverNameOf(event.parsed.pdu.sender) !== origin) {
    throw matrixError('M_FORBIDDEN', `Nobody of ${origin} is in the room.`)
  }
  return ours.sign(event.parsed)
}

function roomOf({ room_id: roomId }: JsonObject): RoomId {
  const parsed = typeof roomId === 'string' ? parseRoomId(roomId) : undefined
  // The one event without it begins a room, in which nobody can have named a policy server.
  if (parsed === undefined) throw matrixError('M_BAD_JSON', 'The event has no room_id, or one that is none.')
  return parsed
}

async function assertUsed(
  deps: SignForOthersDeps,
  { head, ours }: { readonly head: RoomHead; readonly ours: OwnPolicyServer },
): Promise<void> {
  const policy = await deps.policyServers.load(head)
  if (policy?.server === deps.serverName && policy.key?.publicKey === ours.publicKey) return
  throw matrixError('M_NOT_FOUND', 'The room does not use this policy server, or not with its key.')
}

function problemOf([problem]: Iterable<string>): string {
  return problem ?? 'This is no event of the room.'
}
