/** GET /_matrix/federation/v1/make_leave/{roomId}/{userId}. <https://spec.matrix.org/v1.19/server-server-api/#leaving-rooms-rejecting-invites> */
import * as leaving from '@holdfast/api/generated/server-server/leaving-v1'
import { memberTemplate } from '../rooms/admit/member-template.ts'
import { federationRoute } from './route.ts'

export const makeLeave = federationRoute(leaving.makeLeave, async ({ deps, origin, params }) => {
  deps.rateLimiter.take({ limit: 'join', key: `leave ${origin} ${params.roomId}` })
  return memberTemplate(deps, { origin, ...params, membership: 'leave', versions: undefined })
})
