/** POST /rooms/{roomId}/send/{eventType} and /redact/{eventId}: sending without a transaction id, as the first version of the API had it. */
import * as without_transaction from '@holdfast/api/extensions/without_transaction'
import { members } from '@holdfast/api/operation'
import { assertEventContent } from '../rooms/event-content.ts'
import { redactEvent } from '../rooms/redact-event.ts'
import { joinedRoom, roomNidFor } from '../rooms/room-access.ts'
import { sendMessageEvent } from '../rooms/send-event.ts'
import { route } from './route.ts'

export const sendMessageOnce = route(without_transaction.sendMessageOnce, async ({ deps, requester, params, body }) => {
  const content = assertEventContent(body)
  deps.rateLimiter.take({ limit: 'message', key: requester.userId })
  const { roomNid } = await joinedRoom(deps, { userNid: requester.userNid, roomId: params.roomId })
  const sent = await sendMessageEvent(deps, requester, { roomNid, type: params.eventType, content })
  return { event_id: sent.event.pdu.eventId }
})

export const redactEventOnce = route(without_transaction.redactEventOnce, async ({ deps, requester, params, body }) => {
  const content = assertEventContent(members(body))
  deps.rateLimiter.take({ limit: 'message', key: requester.userId })
  const roomNid = await roomNidFor(deps, params.roomId)
  const sent = await redactEvent(deps, requester, { roomNid, target: params.eventId, content })
  return { event_id: sent.event.pdu.eventId }
})
