/** PUT /_matrix/federation/v1/invite/{roomId}/{eventId}: for rooms from before room versions had formats of their own. <https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv1inviteroomideventid> */
import * as invites from '@holdfast/api/generated/server-server/invites-v1'
import { isObject } from '@holdfast/protocol/json/value'
import { JsonText } from '@holdfast/service/http/reply'
import { receiveInvitation } from '../rooms/admit/invitation.ts'
import { federationRoute } from './route.ts'

export const sendInviteV1 = federationRoute(invites.sendInviteV1, async ({ deps, origin, params, body, exactBody }) => {
  const { unsigned } = body
  const known = await deps.heads.byId(params.roomId)
  const event = await receiveInvitation(deps, {
    origin,
    ...params,
    // The request does not say: versions 1 and 2 have one format.
    version: known?.version === '2' ? '2' : '1',
    body,
    exact: exactBody(),
    state: isObject(unsigned) ? unsigned['invite_room_state'] : undefined,
  })
  return new JsonText(`[200,{"event":${event}}]`)
})
