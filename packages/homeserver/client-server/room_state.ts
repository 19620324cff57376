/** PUT /rooms/{roomId}/state/{eventType}/{stateKey}. <https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidstateeventtypestatekey> */
import * as room_state from '@holdfast/api/generated/client-server/room_state'
import { assertEventContent } from '../rooms/event-content.ts'
import { joinedRoom, roomNidFor } from '../rooms/room-access.ts'
import { setRoomState } from '../rooms/set-room-state.ts'
import { route } from './route.ts'

export const setRoomStateWithKey = route(
  room_state.setRoomStateWithKey,
  async ({ deps, requester, params: { roomId, eventType: type, stateKey }, body }) => {
    deps.rateLimiter.take({ limit: 'message', key: requester.userId })
    const content = assertEventContent(body)
    // Only a membership can be a stranger's to set.
    const who = { userNid: requester.userNid, roomId }
    const roomNid = type === 'm.room.member' ? await roomNidFor(deps, roomId) : (await joinedRoom(deps, who)).roomNid
    return { event_id: await setRoomState(deps, requester, { roomNid, type, stateKey, content }) }
  },
)
