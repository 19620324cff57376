/** A room's past: /backfill and /get_missing_events. <https://spec.matrix.org/v1.19/server-server-api/#backfilling-and-retrieving-missing-events> */
import * as backfillApi from '@holdfast/api/generated/server-server/backfill'
import { matrixError } from '@holdfast/protocol/errors'
import { isObject } from '@holdfast/protocol/json/value'
import { JsonText } from '@holdfast/service/http/reply'
import { backfill } from '../rooms/serve/backfill.ts'
import { missingEvents } from '../rooms/serve/missing-events.ts'
import { requireRoomServedAt } from '../rooms/serve/former-residents.ts'
import { transactionText } from '../rooms/serve/transaction-text.ts'
import { federationRoute } from './route.ts'

/** GET /_matrix/federation/v1/backfill/{roomId} */
export const backfillRoom = federationRoute(backfillApi.backfillRoom, async ({ deps, origin, params, query }) => {
  if (query.v.length === 0) throw matrixError('M_MISSING_PARAM', 'The query parameter `v` is missing.')
  const head = await requireRoomServedAt(deps, origin, { roomId: params.roomId, eventIds: query.v })
  return new JsonText(
    transactionText(deps, await backfill(deps, { origin, head }, { from: query.v, limit: query.limit })),
  )
})

/** Servers have always been let off the two lists; without them nothing is missing. */
const operation: typeof backfillApi.getMissingPreviousEvents = {
  ...backfillApi.getMissingPreviousEvents,
  parseBody: (input) =>
    backfillApi.getMissingPreviousEvents.parseBody(
      !(input instanceof Uint8Array) && isObject(input) ? { earliest_events: [], latest_events: [], ...input } : input,
    ),
}

/** POST /_matrix/federation/v1/get_missing_events/{roomId} */
export const getMissingPreviousEvents = federationRoute(operation, async ({ deps, origin, params, body }) => {
  const head = await requireRoomServedAt(deps, origin, { roomId: params.roomId, eventIds: body.latest_events })
  const texts = await missingEvents(
    deps,
    { origin, head },
    {
      earliest: body.earliest_events,
      latest: body.latest_events,
      limit: body.limit,
      minDepth: body.min_depth,
    },
  )
  return new JsonText(`{"events":[${texts.join(',')}]}`)
})
