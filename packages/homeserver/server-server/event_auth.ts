/** What allows an event: /event_auth, and /query_auth of 2018. <https://spec.matrix.org/v1.19/server-server-api/#retrieving-event-authorisation-information> */
import * as eventAuth from '@holdfast/api/generated/server-server/event_auth'
import { JsonText } from '@holdfast/service/http/reply'
import { compareAuth } from '../rooms/serve/compare-auth.ts'
import { requireRoomServedAt } from '../rooms/serve/former-residents.ts'
import { requireEvent } from '../rooms/serve/known-event.ts'
import { chainOf, stateTexts } from '../rooms/serve/served-state.ts'
import { federationRoute } from './route.ts'

/** GET /_matrix/federation/v1/event_auth/{roomId}/{eventId} */
export const getEventAuth = federationRoute(eventAuth.getEventAuth, async ({ deps, origin, params }) => {
  const head = await requireRoomServedAt(deps, origin, { roomId: params.roomId, eventIds: [params.eventId] })
  const event = await requireEvent(deps, head, params.eventId)
  const chain = await stateTexts(deps, { origin, head, event }, await chainOf(deps, head, [event.nid]))
  return new JsonText(`{"auth_chain":[${chain.join(',')}]}`)
})

/** POST /_matrix/federation/v1/query_auth/{roomId}/{eventId} */
export const compareEventAuth = federationRoute(eventAuth.compareEventAuth, async ({ deps, origin, params, body }) => {
  const head = await requireRoomServedAt(deps, origin, { roomId: params.roomId, eventIds: [params.eventId] })
  const event = await requireEvent(deps, head, params.eventId)
  const { missing, rejects } = await compareAuth(deps, head, body.auth_chain)
  const chain = await stateTexts(deps, { origin, head, event }, await chainOf(deps, head, [event.nid]))
  const others = JSON.stringify({ missing, rejects }).slice(1)
  return new JsonText(`{"auth_chain":[${chain.join(',')}],${others}`)
})
