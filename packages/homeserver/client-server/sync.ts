/** GET /sync. <https://spec.matrix.org/v1.19/client-server-api/#get_matrixclientv3sync> */
import * as syncing from '@holdfast/api/generated/client-server/sync'
import { passesNothing } from '@holdfast/protocol/filter/match'
import { loadFilter } from '../filters/load-filter.ts'
import { watchSession } from '../accounts/watch-session.ts'
import { noteSyncPresence } from '../presence/note-sync.ts'
import { parseStreamToken, toDeviceEndOf } from '../sync/sync-token.ts'
import { sync as syncNow } from '../sync/sync.ts'
import { acknowledgeMessages } from '../to-device/pending.ts'
import { JsonText } from '@holdfast/service/http/reply'
import { route } from './route.ts'

/** A longer wait than this is answered empty, and the client asks again. */
const TIMEOUT_MS_MAX = 90_000

export const sync = route(syncing.sync, async ({ deps, requester, query, request }) => {
  const since = query.since === undefined ? undefined : parseStreamToken(query.since, 'since')
  const toDeviceSince = query.since === undefined ? undefined : toDeviceEndOf(query.since)
  const filter = await loadFilter(deps, requester, query.filter)
  if (toDeviceSince !== undefined) await acknowledgeMessages(deps, requester, toDeviceSince)
  const showsPresence = !passesNothing(filter.presence)
  using _presence = await noteSyncPresence(deps, requester, { setPresence: query.set_presence, showsPresence })
  using session = watchSession(deps, requester, request)
  const text = await syncNow(deps, requester, {
    since,
    toDeviceSince,
    filter,
    fullState: query.full_state ?? false,
    useStateAfter: query.use_state_after ?? false,
    timeoutMs: Math.min(Math.max(query.timeout ?? 0, 0), TIMEOUT_MS_MAX),
    signal: request.signal,
    session,
  })
  return new JsonText(text)
})
