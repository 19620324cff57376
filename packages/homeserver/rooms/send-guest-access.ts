/** Setting whether a room admits guests, with what that means for those who are in it. <https://spec.matrix.org/v1.19/client-server-api/#guest-access> */
import type { EventId, UserId } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../homeserver.ts'
import { joinedGuests } from '../storage/memberships.ts'
import { admitsGuests } from './guest-access.ts'
import type { NewRoomEvent } from './room-draft.ts'
import { setDraftState, type StateSending } from './send-state.ts'

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
