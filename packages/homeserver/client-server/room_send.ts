/** PUT /rooms/{roomId}/send/{eventType}/{txnId}. <https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid> */
import * as room_send from '@holdfast/api/generated/client-server/room_send'
import { limitRate } from '../rate-limits/limit-rate.ts'
import { assertEventContent } from '../rooms/event-content.ts'
import { roomNidFor } from '../rooms/room-access.ts'
import { sendEvent } from '../rooms/send-event.ts'
import { route } from './route.ts'

export const sendMessage = route(room_send.sendMessage, async ({ deps, requester, params, body, request }) => {
  const content = assertEventContent(body)
  return deps.transactions.once({
    deviceNid: requester.deviceNid,
    method: request.method,
    path: request.path,
    act: async (client) => {
      limitRate(deps, 'message', requester.userId)
      const roomNid = await roomNidFor(deps, params.roomId)
      const event = { type: params.eventType, sender: requester.userId, content, originServerTs: deps.clock.nowMs() }
      const sent = await sendEvent(deps, { roomNid, event, requester, transaction: { client, id: params.txnId } })
      return { event_id: sent.event.pdu.eventId }
    },
    replay: async (eventNid) => ({ event_id: (await deps.events.byNid(eventNid))!.pdu.eventId }),
  })
})
