/** Setting a piece of a room's state. */
import { canonicalJson } from '@holdfast/protocol/json/canonical'
import type { EventId } from '@holdfast/protocol/ids/brand'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { assertAdmitsGuests, GUEST_ACCESS } from './guest-access.ts'
import type { NewRoomEvent, RoomDraft } from './room-draft.ts'

export type StateSending = {
  readonly roomNid: number
  readonly requester: Requester
  readonly event: NewRoomEvent & { readonly stateKey: string }
}

/**
 * Sends the state event; if the sender set the very same content before and it still holds, that event is the answer.
 * @throws {MatrixError} M_FORBIDDEN by the authorisation rules, M_TOO_LARGE, M_GUEST_ACCESS_FORBIDDEN
 */
export function sendState(deps: Pick<Homeserver, 'roomQueue'>, sending: StateSending): Promise<EventId> {
  const { event, requester } = sending
  const isGuestJoin = requester.isGuest && event.type === 'm.room.member' && event.content['membership'] === 'join'
  return deps.roomQueue.run(sending.roomNid, {
    prepare: () => ({ events: [event], reads: isGuestJoin ? [GUEST_ACCESS] : [] }),
    decide: (draft) => {
      if (isGuestJoin) assertAdmitsGuests(draft)
      return setDraftState(draft, sending)
    },
  })
}

export function setDraftState(draft: RoomDraft, { event, requester }: StateSending): EventId {
  const present = draft.stateEvent(event)
  if (present?.pdu.sender === event.sender && canonicalJson(present.pdu.content) === canonicalJson(event.content)) {
    return present.pdu.eventId
  }
  return draft.add(event, { deviceNid: requester.deviceNid, transactionId: undefined }).event.pdu.eventId
}
