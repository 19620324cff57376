/** Login. <https://spec.matrix.org/v1.19/client-server-api/#login> */
import * as login_ from '@holdfast/api/generated/client-server/login'
import type { LoginBody } from '@holdfast/api/generated/client-server/login'
import { members } from '@holdfast/api/operation'
import { matrixError } from '@holdfast/protocol/errors'
import { logInWithPassword, logInWithToken, type LoggedIn, type LoginClient } from '../accounts/log-in.ts'
import { loginName } from '../accounts/login-identifier.ts'
import { discovery, sessionAnswer } from '../accounts/session-answer.ts'
import type { Homeserver } from '../homeserver.ts'
import { publicRoute } from './route.ts'

/** GET /login */
export const getLoginFlows = publicRoute(login_.getLoginFlows, async () => ({
  flows: [{ type: 'm.login.password' }, { type: 'm.login.token', get_login_token: true }],
}))

/** POST /login */
export const login = publicRoute(login_.login, async ({ deps, body, request }) => {
  const { userId, session } = await logIn(deps, body, {
    deviceId: body.device_id,
    initialDisplayName: body.initial_device_display_name,
    refreshable: body.refresh_token === true,
    remoteAddress: request.remoteAddress,
  })
  const wellKnown = discovery(deps)
  return { ...sessionAnswer(deps, userId, session), ...(wellKnown === undefined ? {} : { well_known: wellKnown }) }
})

async function logIn(deps: Homeserver, body: LoginBody, client: LoginClient): Promise<LoggedIn> {
  switch (body.type) {
    case 'm.login.password':
      if (body.password === undefined) throw matrixError('M_MISSING_PARAM', '`password` is missing.')
      return logInWithPassword(deps, { name: loginName(deps, members(body)), password: body.password }, client)
    case 'm.login.token':
      if (body.token === undefined) throw matrixError('M_MISSING_PARAM', '`token` is missing.')
      return logInWithToken(deps, body.token, client)
    default:
      throw matrixError('M_UNKNOWN', 'This server does not know this type of login; GET /login lists those it does.', {
        status: 400,
      })
  }
}
