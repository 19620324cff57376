/** PUT /_matrix/federation/v2/invite/{roomId}/{eventId}. <https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2inviteroomideventid> */
import * as invites from '@holdfast/api/generated/server-server/invites-v2'
import { isObject } from '@holdfast/protocol/json/value'
import { JsonText } from '@holdfast/service/http/reply'
import { receiveInvitation } from '../rooms/admit/invitation.ts'
import { federationRoute } from './route.ts'

export const sendInviteV2 = federationRoute(invites.sendInviteV2, async ({ deps, origin, params, body, exactBody }) => {
  const exact = exactBody()
  const event = await receiveInvitation(deps, {
    origin,
    ...params,
    version: body.room_version,
    body: body.event,
    exact: isObject(exact) ? exact['event'] : undefined,
    state: body.invite_room_state,
  })
  return new JsonText(`{"event":${event}}`)
})
