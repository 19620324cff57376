/** PUT /_matrix/federation/v1/send_join/{roomId}/{eventId}: as version 2, in a list with the status. <https://spec.matrix.org/v1.18/server-server-api/#put_matrixfederationv1send_joinroomideventid> */
import * as joins from '@holdfast/api/generated/server-server/joins'
import { JsonText } from '@holdfast/service/http/reply'
import { admitJoin } from '../rooms/admit/admit-join.ts'
import { federationRoute } from './route.ts'

export const sendJoin = federationRoute(joins.sendJoin, async ({ deps, origin, params, body, exactBody }) => {
  // The answer costs the whole room.
  deps.rateLimiter.take({ limit: 'join', key: `answer ${origin} ${params.roomId}` })
  const submission = { origin, ...params, membership: 'join', body, exact: exactBody() } as const
  return new JsonText(`[200,${await admitJoin(deps, submission, { omitMembers: false })}]`)
})
