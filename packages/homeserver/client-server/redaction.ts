/** PUT /rooms/{roomId}/redact/{eventId}/{txnId}. <https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidredacteventidtxnid> */
import * as redaction from '@holdfast/api/generated/client-server/redaction'
import { members } from '@holdfast/api/operation'
import { assertEventContent } from '../rooms/event-content.ts'
import { redactEvent as redact } from '../rooms/redact-event.ts'
import { roomNidFor } from '../rooms/room-access.ts'
import { route } from './route.ts'

export const redactEvent = route(redaction.redactEvent, async ({ deps, requester, params, body, request }) => {
  const content = assertEventContent(members(body))
  return deps.transactions.once({
    deviceNid: requester.deviceNid,
    method: request.method,
    path: request.path,
    act: async (client) => {
      deps.rateLimiter.take({ limit: 'message', key: requester.userId })
      const roomNid = await roomNidFor(deps, params.roomId)
      const transaction = { client, id: params.txnId }
      const sent = await redact(deps, requester, { roomNid, target: params.eventId, content, transaction })
      return { event_id: sent.event.pdu.eventId }
    },
    replay: async (eventNid) => ({ event_id: (await deps.events.byNid(eventNid))!.pdu.eventId }),
  })
})
