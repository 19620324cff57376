/** Guests are in rooms that want them, and in no other. <https://spec.matrix.org/v1.19/client-server-api/#guest-access> */
import { matrixError, type MatrixError } from '@holdfast/protocol/errors'
import { isObject, type JsonObject } from '@holdfast/protocol/json/value'
import type { StateKey } from '../dictionary/dictionary.ts'
import type { RoomDraft } from './room-draft.ts'

/** What a decision on a guest's join has to announce that it reads. */
export const GUEST_ACCESS: StateKey = { type: 'm.room.guest_access', stateKey: '' }

export function admitsGuests(content: JsonObject | undefined): boolean {
  return content?.['guest_access'] === 'can_join'
}

/** @throws {MatrixError} M_GUEST_ACCESS_FORBIDDEN */
export function assertAdmitsGuests(draft: RoomDraft): void {
  if (!admitsGuests(draft.stateEvent(GUEST_ACCESS)?.pdu.content)) throw closedToGuests()
}

/** Whether a state, as another server tells it, is that of a room for guests. */
export function toldToAdmitGuests(state: readonly JsonObject[]): boolean {
  const event = state.find(({ type, state_key: key }) => type === GUEST_ACCESS.type && key === GUEST_ACCESS.stateKey)
  return isObject(event?.['content']) && admitsGuests(event['content'])
}

export function closedToGuests(): MatrixError {
  return matrixError('M_GUEST_ACCESS_FORBIDDEN', 'This room does not admit guests.')
}
