/** /make_knock and /send_knock. <https://spec.matrix.org/v1.19/server-server-api/#knocking-rooms> */
import * as knocks from '@holdfast/api/generated/server-server/knocks'
import { JsonText } from '@holdfast/service/http/reply'
import { admitKnock } from '../rooms/admit/admit-knock.ts'
import { memberTemplate } from '../rooms/admit/member-template.ts'
import { federationRoute } from './route.ts'

/** GET /_matrix/federation/v1/make_knock/{roomId}/{userId} */
export const makeKnock = federationRoute(knocks.makeKnock, async ({ deps, origin, params, query }) => {
  deps.rateLimiter.take({ limit: 'join', key: `${origin} ${params.roomId}` })
  return memberTemplate(deps, { origin, ...params, membership: 'knock', versions: query.ver })
})

/** PUT /_matrix/federation/v1/send_knock/{roomId}/{eventId} */
export const sendKnock = federationRoute(knocks.sendKnock, async ({ deps, origin, params, body, exactBody }) => {
  const submission = { origin, ...params, membership: 'knock', body, exact: exactBody() } as const
  return new JsonText(await admitKnock(deps, submission))
})
