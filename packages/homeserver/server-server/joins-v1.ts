/** GET /_matrix/federation/v1/make_join/{roomId}/{userId}. <https://spec.matrix.org/v1.19/server-server-api/#joining-rooms> */
import * as joins from '@holdfast/api/generated/server-server/joins-v1'
import { memberTemplate } from '../rooms/admit/member-template.ts'
import { federationRoute } from './route.ts'

export const makeJoin = federationRoute(joins.makeJoin, async ({ deps, origin, params, query }) => {
  deps.rateLimiter.take({ limit: 'join', key: `${origin} ${params.roomId}` })
  return memberTemplate(deps, { origin, ...params, membership: 'join', versions: query.ver })
})
