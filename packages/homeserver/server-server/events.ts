/** Single events and states: /event, /state, /state_ids and /timestamp_to_event. <https://spec.matrix.org/v1.19/server-server-api/#retrieving-events> */
import * as events from '@holdfast/api/generated/server-server/events'
import { matrixError } from '@holdfast/protocol/errors'
import { JsonText } from '@holdfast/service/http/reply'
import { closestEvent } from '../rooms/event-at-time.ts'
import { requireRoomServedAt } from '../rooms/serve/former-residents.ts'
import { requireEventAnywhere } from '../rooms/serve/known-event.ts'
import { pduTexts } from '../rooms/serve/pdu-texts.ts'
import { requireServedRoom } from '../rooms/serve/served-room.ts'
import { serverVisibility } from '../rooms/serve/server-visibility.ts'
import { idsOf, stateAtEvent, stateTexts } from '../rooms/serve/served-state.ts'
import { transactionText } from '../rooms/serve/transaction-text.ts'
import { federationRoute } from './route.ts'

/** GET /_matrix/federation/v1/event/{eventId} */
export const getEvent = federationRoute(events.getEvent, async ({ deps, origin, params }) => {
  const event = await requireEventAnywhere(deps, origin, params.eventId)
  return new JsonText(transactionText(deps, await pduTexts(deps, origin, [event.nid])))
})

/** GET /_matrix/federation/v1/state/{roomId} */
export const getRoomState = federationRoute(events.getRoomState, async ({ deps, origin, params, query }) => {
  const head = await requireRoomServedAt(deps, origin, { roomId: params.roomId, eventIds: [query.event_id] })
  const { event, state, chain } = await stateAtEvent(deps, head, query.event_id)
  const pdus = await stateTexts(deps, { origin, head, event }, state)
  const authChain = await stateTexts(deps, { origin, head, event }, chain)
  return new JsonText(`{"auth_chain":[${authChain.join(',')}],"pdus":[${pdus.join(',')}]}`)
})

/** GET /_matrix/federation/v1/state_ids/{roomId} */
export const getRoomStateIds = federationRoute(events.getRoomStateIds, async ({ deps, origin, params, query }) => {
  const head = await requireRoomServedAt(deps, origin, { roomId: params.roomId, eventIds: [query.event_id] })
  const { state, chain } = await stateAtEvent(deps, head, query.event_id)
  return { auth_chain_ids: await idsOf(deps, chain), pdu_ids: await idsOf(deps, state) }
})

/** GET /_matrix/federation/v1/timestamp_to_event/{roomId} */
export const getEventByTimestamp = federationRoute(
  events.getEventByTimestamp,
  async ({ deps, origin, params, query }) => {
    const head = await requireServedRoom(deps, origin, params.roomId)
    const visibility = serverVisibility(deps, head, origin)
    const search = { roomNid: head.roomNid, ts: query.ts, direction: query.dir, upTo: head.lastPosition }
    const event = await closestEvent(deps, search, visibility)
    if (event === undefined) throw matrixError('M_NOT_FOUND', 'There is no event in this direction.')
    return { event_id: event.pdu.eventId, origin_server_ts: event.pdu.originServerTs }
  },
)
