/** Who somebody is, by the word of their own homeserver. <https://spec.matrix.org/v1.19/server-server-api/#openid> */
import { OutgoingFailed } from '@holdfast/platform/http/client'
import type { Log } from '@holdfast/platform/log/log'
import { matrixError } from '@holdfast/protocol/errors'
import type { ServerName, UserId } from '@holdfast/protocol/ids/brand'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import { parseJson } from '@holdfast/protocol/json/parse'
import { isObject } from '@holdfast/protocol/json/value'
import { RESPONSE_LIMITS, TIME_LIMITS } from '@holdfast/protocol/limits'
import type { Homeservers } from '../homeservers/ask-homeserver.ts'

type Deps = { readonly homeservers: Homeservers; readonly log: Log }

/**
 * @throws M_UNAUTHORIZED the server does not know the token, or names a user who is not its own
 * @throws M_UNKNOWN 502: the server cannot be asked
 */
export async function askOwnerOfToken(deps: Deps, server: ServerName, accessToken: string): Promise<UserId> {
  const { status, body } = await ask(deps, server, accessToken)
  if (status === 401 || status === 403) {
    throw matrixError('M_UNAUTHORIZED', `${server} does not know this OpenID token.`)
  }
  if (status !== 200) throw noAnswer(server)
  const parsed = parseJson(body)
  const sub = parsed.ok && isObject(parsed.value) && Object.hasOwn(parsed.value, 'sub') ? parsed.value['sub'] : undefined
  const userId = typeof sub === 'string' ? parseUserId(sub) : undefined
  // A server can speak for its own users only: "if the server names differ, the result is invalid".
  if (userId === undefined || serverNameOf(userId) !== server) {
    throw matrixError('M_UNAUTHORIZED', `${server} names nobody of its own as the owner of this OpenID token.`)
  }
  return userId
}

async function ask({ homeservers, log }: Deps, server: ServerName, accessToken: string) {
  try {
    return await homeservers.ask(server, {
      method: 'GET',
      path: `/_matrix/federation/v1/openid/userinfo?access_token=${encodeURIComponent(accessToken)}`,
      deadlineMs: TIME_LIMITS.federationQueryMs,
      responseBytesMax: RESPONSE_LIMITS.openIdBytesMax,
    })
  } catch (error) {
    if (!(error instanceof OutgoingFailed)) throw error
    // The failure may tell of our network, so only the log is told.
    log.info({ server, failure: error.failure, error: error.message }, 'a homeserver cannot be asked for a user')
    throw noAnswer(server)
  }
}

function noAnswer(server: ServerName) {
  return matrixError('M_UNKNOWN', `${server} cannot be asked who you are.`, { status: 502 })
}
