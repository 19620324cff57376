/** PUT /rooms/{roomId}/send/{eventType}/{txnId}. <https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidsendeventtypetxnid> */
import * as room_send from '@holdfast/api/generated/client-server/room_send'
import { assertEventContent } from '../rooms/event-content.ts'
import { joinedRoom } from '../rooms/room-access.ts'
import { sendMessageEvent } from '../rooms/send-event.ts'
import { route } from './route.ts'

export const sendMessage = route(room_send.sendMessage, async ({ deps, requester, params, body, request }) => {
  const content = assertEventContent(body)
  return deps.transactions.once({
    deviceNid: requester.deviceNid,
    method: request.method,
    path: request.path,
    act: async (client) => {
      deps.rateLimiter.take({ limit: 'message', key: requester.userId })
      const { roomNid } = await joinedRoom(deps, { userNid: requester.userNid, roomId: params.roomId })
      const message = { roomNid, type: params.eventType, content, transaction: { client, id: params.txnId } }
      const sent = await sendMessageEvent(deps, requester, message)
      deps.presence.active(requester.userNid)
      return { event_id: sent.event.pdu.eventId }
    },
    replay: async (eventNid) => ({ event_id: (await deps.events.byNid(eventNid))!.pdu.eventId }),
  })
})
