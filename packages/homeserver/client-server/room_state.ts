/** PUT /rooms/{roomId}/state/{eventType}/{stateKey}. <https://spec.matrix.org/v1.19/client-server-api/#put_matrixclientv3roomsroomidstateeventtypestatekey> */
import * as room_state from '@holdfast/api/generated/client-server/room_state'
import { checkCanonicalAlias } from '../rooms/canonical-alias.ts'
import { assertEventContent } from '../rooms/event-content.ts'
import { roomNidFor } from '../rooms/room-access.ts'
import { sendState } from '../rooms/send-state.ts'
import { checkTombstone } from '../rooms/tombstone.ts'
import { route } from './route.ts'

export const setRoomStateWithKey = route(
  room_state.setRoomStateWithKey,
  async ({ deps, requester, params: { roomId, eventType: type, stateKey }, body }) => {
    deps.rateLimiter.take({ limit: 'message', key: requester.userId })
    const content = assertEventContent(body)
    const roomNid = await roomNidFor(deps, roomId)
    if (type === 'm.room.canonical_alias' && stateKey === '') await checkCanonicalAlias(deps, roomNid, content)
    if (type === 'm.room.tombstone') await checkTombstone(deps, roomNid, content)
    const event = { type, stateKey, sender: requester.userId, content, originServerTs: deps.clock.nowMs() }
    return { event_id: await sendState(deps, { roomNid, requester, event }) }
  },
)
