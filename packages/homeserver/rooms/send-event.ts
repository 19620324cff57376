/** Sending one event into a room that exists: in the room's queue, load → decide → commit. */
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import type { ClientTransaction } from '../transactions/transactions.ts'
import type { DraftEvent, NewRoomEvent } from './room-draft.ts'

type SendDeps = Pick<Homeserver, 'roomQueue'>

export type Sending = {
  readonly roomNid: number
  readonly event: NewRoomEvent
  /** The device that sends, for `unsigned.transaction_id` and for replays. */
  readonly requester: Pick<Requester, 'deviceNid'>
  /** The transaction this answers, and the id the client gave it. */
  readonly transaction?: { readonly client: ClientTransaction; readonly id: string } | undefined
}

/**
 * Sends the event and resolves with it after it is on disk.
 * @throws {MatrixError} M_FORBIDDEN by the authorisation rules, M_TOO_LARGE
 */
export function sendEvent(deps: SendDeps, sending: Sending): Promise<DraftEvent> {
  const { event, requester, transaction } = sending
  return deps.roomQueue.run(sending.roomNid, {
    prepare: () => ({ events: [event] }),
    decide: (draft) => {
      const sent = draft.add(event, { deviceNid: requester.deviceNid, transactionId: transaction?.id })
      if (transaction !== undefined) draft.also(transaction.client.remember(sent.event.nid))
      return sent
    },
  })
}
