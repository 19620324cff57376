/** Setting whether a room admits guests, with what that means for those who are in it. <https://spec.matrix.org/v1.19/client-server-api/#guest-access> */
import type { EventId } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../homeserver.ts'
import { admitsGuests } from './guest-access.ts'
import { addLeaves, guestLeaves } from './guest-leaves.ts'
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
      leaves = admitsGuests(event.content) ? [] : await guestLeaves(deps, roomNid)
      return { events: [event, ...leaves] }
    },
    decide: (draft) => {
      const eventId = setDraftState(draft, sending)
      addLeaves(draft, leaves)
      return eventId
    },
  })
}
