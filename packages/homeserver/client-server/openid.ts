/** POST /user/{userId}/openid/request_token. <https://spec.matrix.org/v1.19/client-server-api/#openid> */
import * as openid from '@holdfast/api/generated/client-server/openid'
import { assertOwn } from '../account-data/checks.ts'
import { giveOpenIdToken, OPENID_TOKEN_MS } from '../openid/openid-tokens.ts'
import { route } from './route.ts'

export const requestOpenIdToken = route(openid.requestOpenIdToken, async ({ deps, requester, params }) => {
  assertOwn(requester, params.userId)
  deps.rateLimiter.take({ limit: 'message', key: `openid ${requester.userId}` })
  return {
    access_token: await giveOpenIdToken(deps, requester),
    token_type: 'Bearer',
    matrix_server_name: deps.serverName,
    expires_in: OPENID_TOKEN_MS / 1000,
  }
})
