/** POST /rooms/{roomId}/read_markers. <https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv3roomsroomidread_markers> */
import * as read_markers from '@holdfast/api/generated/client-server/read_markers'
import { matrixError } from '@holdfast/protocol/errors'
import { parseEventId } from '@holdfast/protocol/ids/event-id'
import { markRead, type Mark } from '../receipts/mark-read.ts'
import { route } from './route.ts'

const TYPES = ['m.fully_read', 'm.read', 'm.read.private'] as const

export const setReadMarker = route(read_markers.setReadMarker, async ({ deps, requester, params, body }) => {
  const marks = TYPES.flatMap((type) => (body[type] === undefined ? [] : [unthreadedMark(type, body[type])]))
  await markRead(deps, requester, { roomId: params.roomId, marks })
  deps.presence.active(requester.userNid)
  return {}
})

function unthreadedMark(type: Mark['type'], raw: string): Mark {
  const eventId = parseEventId(raw)
  if (eventId === undefined) throw matrixError('M_INVALID_PARAM', `\`${type}\` is not an event id.`)
  return { type, eventId, thread: undefined }
}
