/** POST /login/get_token <https://spec.matrix.org/v1.19/client-server-api/#post_matrixclientv1loginget_token> */
import * as operations from '@holdfast/api/generated/client-server/login_token'
import { members } from '@holdfast/api/operation'
import { giveLoginToken, LOGIN_TOKEN_MS } from '../accounts/login-token.ts'
import { provePassword } from '../user-interactive-auth/prove-password.ts'
import { Reply } from '@holdfast/service/http/reply'
import { route } from './route.ts'

export const generateLoginToken = route(operations.generateLoginToken, async ({ deps, requester, body, request }) => {
  const { remoteAddress } = request
  const outcome = await provePassword(deps, requester, {
    operation: 'getLoginToken',
    body: members(body),
    remoteAddress,
  })
  if (outcome.kind === 'challenge') return new Reply(outcome.status, outcome.body)
  const loginToken = await giveLoginToken(deps, requester)
  return { login_token: loginToken, expires_in_ms: LOGIN_TOKEN_MS }
})
