/** Sending one event into a room that exists: in the room's queue, load → decide → commit. */
import { matrixError } from '@holdfast/protocol/errors'
import { parseEventId } from '@holdfast/protocol/ids/event-id'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import type { ClientTransaction } from '../transactions/transactions.ts'
import { redactEvent } from './redact-event.ts'
import type { DraftEvent, NewRoomEvent } from './room-draft.ts'
import { checkTombstone } from './tombstone.ts'

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

export type Message = Pick<Sending, 'roomNid' | 'transaction'> & { readonly type: string; readonly content: JsonObject }

/**
 * Sends what a client asks for. Redactions may be sent so in all room versions; the version decides where `redacts` stands.
 * @throws {MatrixError} M_BAD_JSON, and as `sendEvent` and `redactEvent` do
 */
export async function sendMessageEvent(
  deps: Pick<Homeserver, 'roomQueue' | 'heads' | 'events' | 'clock' | 'incompleteRooms'>,
  requester: Requester,
  { roomNid, type, content, transaction }: Message,
): Promise<DraftEvent> {
  if (type === 'm.room.redaction') {
    const { redacts } = content
    const target = typeof redacts === 'string' ? parseEventId(redacts) : undefined
    if (target === undefined) throw matrixError('M_BAD_JSON', '`redacts` must be the id of the event to redact.')
    return redactEvent(deps, requester, { roomNid, content, transaction, target })
  }
  if (type === 'm.room.tombstone') await checkTombstone(deps, roomNid, content)
  const event = { type, sender: requester.userId, content, originServerTs: deps.clock.nowMs() }
  return sendEvent(deps, { roomNid, event, requester, transaction })
}
