/** POST /user/keys/query and /user/keys/claim. <https://spec.matrix.org/v1.19/server-server-api/#end-to-end-encryption> */
import * as userKeys from '@holdfast/api/generated/server-server/user_keys'
import { entriesOf } from '@holdfast/api/operation'
import { claimLocalKeys, requireBounded } from '../e2e-keys/claim-keys.ts'
import { queryLocalKeys } from '../e2e-keys/local-keys.ts'
import { requireBoundedQuery } from '../e2e-keys/query-keys.ts'
import { keyAnswerBody, objectOf } from '../e2e-keys/shown-keys.ts'
import { federationRoute } from './route.ts'

/** POST /_matrix/federation/v1/user/keys/query */
export const queryUserEncryptionKeys = federationRoute(userKeys.queryUserEncryptionKeys, async ({ deps, body }) => {
  const query = new Map(entriesOf(body.device_keys))
  requireBoundedQuery(query)
  return keyAnswerBody(await queryLocalKeys(deps, query, 'server'))
})

/** POST /_matrix/federation/v1/user/keys/claim */
export const claimUserEncryptionKeys = federationRoute(userKeys.claimUserEncryptionKeys, async ({ deps, body }) => {
  const claim = new Map(
    entriesOf(body.one_time_keys).map(([userId, devices]) => [userId, new Map(Object.entries(devices))]),
  )
  requireBounded(claim)
  return { one_time_keys: objectOf(await claimLocalKeys(deps, claim)) }
})
