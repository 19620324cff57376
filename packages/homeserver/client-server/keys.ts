/** Keys of devices. <https://spec.matrix.org/v1.19/client-server-api/#end-to-end-encryption> */
import * as operations from '@holdfast/api/generated/client-server/keys'
import { entriesOf } from '@holdfast/api/operation'
import type { HttpRequest } from '@holdfast/platform/http/service'
import { matrixError } from '@holdfast/protocol/errors'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { emptyObject, isObject, type JsonObject } from '@holdfast/protocol/json/value'
import { TIME_LIMITS } from '@holdfast/protocol/limits'
import { claimKeys as claim } from '../e2e-keys/claim-keys.ts'
import { listChangesSince } from '../e2e-keys/list-changes.ts'
import { queryKeys as query } from '../e2e-keys/query-keys.ts'
import { keyAnswerBody, objectOf } from '../e2e-keys/shown-keys.ts'
import { uploadKeys as upload } from '../e2e-keys/upload-keys.ts'
import { parseStreamToken } from '../sync/sync-token.ts'
import { route } from './route.ts'

/** POST /keys/upload */
export const uploadKeys = route(operations.uploadKeys, async ({ deps, requester, body }) => {
  const counts = await upload(deps, requester, {
    deviceKeys: body.device_keys,
    oneTimeKeys: body.one_time_keys ?? emptyObject(),
    fallbackKeys: body.fallback_keys ?? emptyObject(),
  })
  return { one_time_key_counts: counts }
})

/** POST /keys/query */
export const queryKeys = route(operations.queryKeys, async ({ deps, requester, body, request }) => {
  const answer = await query(deps, requester, {
    query: new Map(
      entriesOf(body.device_keys).map(([userId, ids]) => [
        userId,
        isObject(ids as JsonObject) ? allDevices(request) : (ids as readonly string[]),
      ]),
    ),
    timeoutMs: waitMs(body.timeout),
  })
  return { ...keyAnswerBody(answer), failures: objectOf(answer.failures) }
})

/**
 * Clients of 2018 ask for all devices with an object, on the paths of their time.
 * @throws {MatrixError} M_BAD_JSON
 */
function allDevices({ path }: HttpRequest): readonly string[] {
  if (!path.startsWith('/_matrix/client/v3/')) return []
  throw matrixError('M_BAD_JSON', 'The devices of a user are a list of device IDs, empty for all of them.')
}

/** POST /keys/claim */
export const claimKeys = route(operations.claimKeys, async ({ deps, body }) => {
  const wanted = new Map<UserId, ReadonlyMap<string, string>>(
    entriesOf(body.one_time_keys).map(([userId, devices]) => [userId, new Map(Object.entries(devices))]),
  )
  const { keys, failures } = await claim(deps, wanted, { timeoutMs: waitMs(body.timeout) })
  return { one_time_keys: objectOf(keys), failures: objectOf(failures) }
})

/** GET /keys/changes */
export const getKeysChanges = route(operations.getKeysChanges, async ({ deps, requester, query: { from, to } }) => {
  const after = parseStreamToken(from, 'from')
  parseStreamToken(to, 'to')
  if (after > deps.streams.position()) {
    throw matrixError(
      'M_INVALID_PARAM',
      'This server has lost what `from` stands for; begin with a sync without a token.',
    )
  }
  const memberships = await deps.memberships.of(requester.userNid)
  const { changed, left } = await listChangesSince(deps, { userNid: requester.userNid, memberships }, after)
  return {
    changed: await deps.dictionary.userIds([...changed]),
    left: await deps.dictionary.userIds([...left]),
  }
})

/** How long other servers are waited for. */
function waitMs(timeout: number | undefined): number {
  return Math.min(Math.max(timeout ?? TIME_LIMITS.federationQueryMs, 0), TIME_LIMITS.federationRequestMs)
}
