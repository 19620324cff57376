/** PUT /_matrix/federation/v2/send_join/{roomId}/{eventId}. <https://spec.matrix.org/v1.19/server-server-api/#put_matrixfederationv2send_joinroomideventid> */
import * as joins from '@holdfast/api/generated/server-server/joins-v2'
import { JsonText } from '@holdfast/service/http/reply'
import { admitJoin } from '../rooms/admit/admit-join.ts'
import { federationRoute } from './route.ts'

export const sendJoinV2 = federationRoute(
  joins.sendJoinV2,
  async ({ deps, origin, params, query, body, exactBody }) => {
    // The answer costs the whole room.
    deps.rateLimiter.take({ limit: 'join', key: `answer ${origin} ${params.roomId}` })
    const submission = { origin, ...params, membership: 'join', body, exact: exactBody() } as const
    return new JsonText(await admitJoin(deps, submission, { omitMembers: query.omit_members === true }))
  },
)
