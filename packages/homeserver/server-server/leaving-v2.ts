/** PUT /_matrix/federation/v2/send_leave/{roomId}/{eventId}. <https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_leaveroomideventid> */
import * as leaving from '@holdfast/api/generated/server-server/leaving-v2'
import { admitLeave } from '../rooms/admit/admit-leave.ts'
import { federationRoute } from './route.ts'

export const sendLeaveV2 = federationRoute(leaving.sendLeaveV2, async ({ deps, origin, params, body, exactBody }) => {
  await admitLeave(deps, { origin, ...params, membership: 'leave', body, exact: exactBody() })
  return {}
})
