/** GET /_matrix/client/v1/rooms/{roomId}/timestamp_to_event. <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv1roomsroomidtimestamp_to_event> */
import * as byTimestamp from '@holdfast/api/generated/client-server/room_event_by_timestamp'
import { matrixError } from '@holdfast/protocol/errors'
import { closestEventAnywhere } from '../rooms/event-at-time-anywhere.ts'
import { roomView } from '../rooms/room-view.ts'
import { eventVisibility } from '../rooms/visible-events.ts'
import { route } from './route.ts'

export const getEventByTimestamp = route(
  byTimestamp.getEventByTimestamp,
  async ({ deps, requester, params, query }) => {
    const { head, upTo } = await roomView(deps, requester, params.roomId)
    const visibility = await eventVisibility(deps, head.roomNid, requester)
    const search = { roomNid: head.roomNid, ts: query.ts, direction: query.dir, upTo }
    const event = await closestEventAnywhere(deps, search, { head, visibility })
    if (event === undefined) throw matrixError('M_NOT_FOUND', 'There is no event in this direction.')
    return { event_id: event.pdu.eventId, origin_server_ts: event.pdu.originServerTs }
  },
)
