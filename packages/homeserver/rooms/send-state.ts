/** Setting a piece of a room's state. */
import { canonicalJson } from '@holdfast/protocol/json/canonical'
import type { EventId } from '@holdfast/protocol/ids/brand'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import type { NewRoomEvent } from './room-draft.ts'

/**
 * Sends the state event; if the sender set the very same content before and it still holds, that event is the answer.
 * @throws {MatrixError} M_FORBIDDEN by the authorisation rules, M_TOO_LARGE
 */
export function sendState(
  deps: Pick<Homeserver, 'roomQueue'>,
  sending: {
    readonly roomNid: number
    readonly requester: Requester
    readonly event: NewRoomEvent & { readonly stateKey: string }
  },
): Promise<EventId> {
  const { event, requester } = sending
  const content = canonicalJson(event.content)
  return deps.roomQueue.run(sending.roomNid, {
    prepare: () => ({ events: [event] }),
    decide: (draft) => {
      const present = draft.stateEvent(event)
      if (present?.pdu.sender === event.sender && canonicalJson(present.pdu.content) === content)
        return present.pdu.eventId
      return draft.add(event, { deviceNid: requester.deviceNid, transactionId: undefined }).event.pdu.eventId
    },
  })
}
