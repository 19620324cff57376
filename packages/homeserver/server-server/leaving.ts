/** PUT /_matrix/federation/v1/send_leave/{roomId}/{eventId}: as version 2, in a list with the status. <https://spec.matrix.org/v1.18/server-server-api/#put_matrixfederationv1send_leaveroomideventid> */
import * as leaving from '@holdfast/api/generated/server-server/leaving'
import { admitLeave } from '../rooms/admit/admit-leave.ts'
import { federationRoute } from './route.ts'

export const sendLeave = federationRoute(leaving.sendLeave, async ({ deps, origin, params, body, exactBody }) => {
  await admitLeave(deps, { origin, ...params, membership: 'leave', body, exact: exactBody() })
  return [200, {}]
})
