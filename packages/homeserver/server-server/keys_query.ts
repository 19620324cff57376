/**
 * GET /_matrix/key/v2/query/{serverName} <https://spec.matrix.org/v1.19/server-server-api/#get_matrixkeyv2queryservername>
 * POST /_matrix/key/v2/query <https://spec.matrix.org/v1.19/server-server-api/#post_matrixkeyv2query>
 */
import * as keysQuery from '@holdfast/api/generated/server-server/keys_query'
import { answerKeyQuery } from '../federation/keys/notary.ts'
import { openRoute } from './route.ts'

export const perspectivesKeyQuery = openRoute(keysQuery.perspectivesKeyQuery, async ({ deps, params, query }) => {
  const { serverName, keyId } = params
  // Without a key id the time stands for the whole answer.
  const wanted = keyId === '' ? {} : { [keyId]: query }
  const validUntil = keyId === '' ? query.minimum_valid_until_ts : undefined
  return { server_keys: await answerKeyQuery(deps, { [serverName]: wanted }, validUntil) }
})

export const bulkPerspectivesKeyQuery = openRoute(keysQuery.bulkPerspectivesKeyQuery, async ({ deps, body }) => ({
  server_keys: await answerKeyQuery(deps, body.server_keys),
}))
