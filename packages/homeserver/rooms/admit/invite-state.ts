/** The room as an inviter describes it. <https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2inviteroomideventid> */
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import type { EventSignaturesDeps } from '../../federation/keys/event-signatures.ts'
import { checkIncoming, type CheckedRoom } from '../receive/check-incoming.ts'
import { invalid } from './submitted-event.ts'

const EVENTS_MAX = 50

/**
 * Where the create event proves the room's id, it has to be there and to be signed. Other entries are checked if they are whole
 * events; servers still send the four members that clients know.
 * @throws {MatrixError} M_INVALID_PARAM
 */
export async function checkInviteState(
  deps: EventSignaturesDeps,
  room: CheckedRoom,
  state: JsonValue | undefined,
): Promise<void> {
  if (!room.rules.roomIdIsCreateHash) return
  const entries = Array.isArray(state) ? (state as readonly JsonValue[]).slice(0, EVENTS_MAX).filter(isObject) : []
  const values = entries.filter(isWholeEvent).map((value) => ({ value }))
  const { incoming, ids } = await checkIncoming(deps, room, { values })
  const checked = new Set<string>(incoming.map(({ parsed }) => parsed.pdu.eventId))
  if (!ids.every((eventId) => eventId !== undefined && checked.has(eventId))) {
    throw invalid('invite_room_state has events that are not of the room, or not signed as they must be.')
  }
  const creates = incoming.filter(({ parsed: { pdu } }) => pdu.type === 'm.room.create' && pdu.stateKey === '')
  if (creates.length !== 1) throw invalid("invite_room_state must have the room's create event.")
}

function isWholeEvent(entry: JsonObject): boolean {
  return Object.hasOwn(entry, 'signatures') || Object.hasOwn(entry, 'hashes')
}
