/** POST /rooms/{roomId}/receipt/{receiptType}/{eventId}. <https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidreceiptreceipttypeeventid> */
import * as receipts from '@holdfast/api/generated/client-server/receipts'
import { matrixError } from '@holdfast/protocol/errors'
import { FULLY_READ, markRead } from '../receipts/mark-read.ts'
import { parseThread } from '../receipts/thread.ts'
import { route } from './route.ts'

export const postReceipt = route(receipts.postReceipt, async ({ deps, requester, params, body }) => {
  const thread = parseThread(body.thread_id)
  if (params.receiptType === FULLY_READ && thread !== undefined) {
    throw matrixError('M_INVALID_PARAM', 'The fully-read marker is of no thread.')
  }
  const mark = { type: params.receiptType, eventId: params.eventId, thread }
  await markRead(deps, requester, { roomId: params.roomId, marks: [mark] })
  deps.presence.active(requester.userNid)
  return {}
})
