/** GET /_matrix/federation/v1/openid/userinfo <https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1openiduserinfo> */
import * as openid from '@holdfast/api/generated/server-server/openid'
import { decodeQuery } from '@holdfast/api/query'
import { matrixError } from '@holdfast/protocol/errors'
import { ownerOfOpenIdToken } from '../openid/openid-tokens.ts'
import { openRoute } from './route.ts'

/** A request without a token is one without credentials, and not a malformed one. */
const operation: typeof openid.exchangeOpenIdToken = {
  ...openid.exchangeOpenIdToken,
  parseQuery: (raw) => {
    if (!decodeQuery(raw).some(([name]) => name === 'access_token')) {
      throw matrixError('M_MISSING_TOKEN', 'The query parameter `access_token` is missing.')
    }
    return openid.exchangeOpenIdToken.parseQuery(raw)
  },
}

export const exchangeOpenIdToken = openRoute(operation, async ({ deps, query }) => ({
  sub: await ownerOfOpenIdToken(deps, query.access_token),
}))
