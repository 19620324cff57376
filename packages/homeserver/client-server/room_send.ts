/** PUT /rooms/{roomId}/send/{eventType}/{txnId}. <https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid> */
import * as room_send from '@holdfast/api/generated/client-server/room_send'
import { matrixError } from '@holdfast/protocol/errors'
import { parseEventId } from '@holdfast/protocol/ids/event-id'
import type { JsonObject } from '@holdfast/protocol/json/value'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { assertEventContent } from '../rooms/event-content.ts'
import { redactEvent } from '../rooms/redact-event.ts'
import { roomNidFor } from '../rooms/room-access.ts'
import type { DraftEvent } from '../rooms/room-draft.ts'
import { sendEvent, type Sending } from '../rooms/send-event.ts'
import { route } from './route.ts'

export const sendMessage = route(room_send.sendMessage, async ({ deps, requester, params, body, request }) => {
  const content = assertEventContent(body)
  return deps.transactions.once({
    deviceNid: requester.deviceNid,
    method: request.method,
    path: request.path,
    act: async (client) => {
      deps.rateLimiter.take({ limit: 'message', key: requester.userId })
      const roomNid = await roomNidFor(deps, params.roomId)
      const transaction = { client, id: params.txnId }
      const sent =
        params.eventType === 'm.room.redaction'
          ? await sendRedaction(deps, requester, { roomNid, content, transaction })
          : await sendEvent(deps, {
              roomNid,
              event: { type: params.eventType, sender: requester.userId, content, originServerTs: deps.clock.nowMs() },
              requester,
              transaction,
            })
      deps.presence.active(requester.userNid)
      return { event_id: sent.event.pdu.eventId }
    },
    replay: async (eventNid) => ({ event_id: (await deps.events.byNid(eventNid))!.pdu.eventId }),
  })
})

/** Redactions may be sent here in all room versions; the room version decides where `redacts` stands. */
function sendRedaction(
  deps: Homeserver,
  requester: Requester,
  sending: Pick<Sending, 'roomNid' | 'transaction'> & { readonly content: JsonObject },
): Promise<DraftEvent> {
  const { redacts } = sending.content
  const target = typeof redacts === 'string' ? parseEventId(redacts) : undefined
  if (target === undefined) throw matrixError('M_BAD_JSON', '`redacts` must be the id of the event to redact.')
  return redactEvent(deps, requester, { ...sending, target })
}
