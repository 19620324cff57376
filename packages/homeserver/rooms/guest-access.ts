/** Guests are in rooms that want them, and in no other. <https://spec.matrix.org/v1.19/client-server-api/#guest-access> */
import { matrixError } from '@holdfast/protocol/errors'
import type { EventId, UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { StateKey } from '../dictionary/dictionary.ts'
import type { Homeserver } from '../homeserver.ts'
import { joinedGuests } from '../storage/memberships.ts'
import type { NewRoomEvent, RoomDraft } from './room-draft.ts'
import { setDraftState, type StateSending } from './send-state.ts'

/** What a decision on a guest's join has to announce that it reads. */
export const GUEST_ACCESS: StateKey = { type: 'm.room.guest_access', stateKey: '' }

export function admitsGuests(content: JsonObject | undefined): boolean {
  return content?.['guest_access'] === 'can_join'
}

/** @throws {MatrixError} M_GUEST_ACCESS_FORBIDDEN */
export function assertAdmitsGuests(draft: RoomDraft): void {
  if (admitsGuests(draft.stateEvent(GUEST_ACCESS)?.pdu.content)) return
  throw matrixError('M_GUEST_ACCESS_FORBIDDEN', 'This room does not admit guests.')
}

/** Sets the guest access of a room; the guests of a room that no longer admits them leave it in the same commit. */
export function sendGuestAccess(
  deps: Pick<Homeserver, 'roomQueue' | 'db' | 'clock'>,
  sending: StateSending,
): Promise<EventId> {
  const { event, roomNid } = sending
  let leaves: readonly NewRoomEvent[] = []
  return deps.roomQueue.run(roomNid, {
    prepare: async () => {
      const guests = admitsGuests(event.content) ? [] : await joinedGuests(deps.db.heavy, roomNid)
      leaves = guests.map(({ user_id }) => leaveOf(user_id as UserId, deps.clock.nowMs()))
      return { events: [event, ...leaves] }
    },
    decide: (draft) => {
      const eventId = setDraftState(draft, sending)
      for (const leave of leaves) {
        const key = { type: leave.type, stateKey: leave.sender }
        if (draft.stateEvent(key)?.pdu.content['membership'] === 'join') draft.add(leave)
      }
      return eventId
    },
  })
}

function leaveOf(guest: UserId, originServerTs: number): NewRoomEvent {
  return { type: 'm.room.member', stateKey: guest, sender: guest, content: { membership: 'leave' }, originServerTs }
}
