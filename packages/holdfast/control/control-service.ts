/** What commands may ask a running server: `POST /_holdfast/control/...` with the secret of the control file. */
import type { Secret } from '@holdfast/platform/config/secret'
import type { HttpRequest, HttpResponse } from '@holdfast/platform/http/service'
import type { ExplainQuestion, Explanation } from '@holdfast/homeserver/explain/explain'
import { MatrixError } from '@holdfast/protocol/errors'
import type { NewRegistrationToken } from '../server/create-registration-token.ts'
import type { NewUser } from '../server/create-user.ts'

export const CONTROL_PATH = '/_holdfast/control/'

export type ControlActions = {
  readonly createUser: (user: NewUser) => Promise<string>
  readonly createRegistrationToken: (token: NewRegistrationToken) => Promise<string>
  readonly rotateSigningKey: () => Promise<string>
  readonly explain: (question: ExplainQuestion) => Promise<Explanation>
}

export async function controlResponse(
  secret: Secret,
  actions: ControlActions,
  request: HttpRequest,
): Promise<HttpResponse> {
  const { authorization = '' } = request.headers
  if (!authorization.startsWith('Bearer ') || !secret.equals(authorization.slice('Bearer '.length))) {
    return answer(401, { errcode: 'M_UNAUTHORIZED', error: 'This endpoint is for the commands of the operator.' })
  }
  const action = request.method === 'POST' ? request.path.slice(CONTROL_PATH.length) : ''
  try {
    const asked = JSON.parse(Buffer.from(request.body).toString('utf8')) as never
    if (action === 'users') return answer(200, { user_id: await actions.createUser(asked) })
    if (action === 'registration-tokens') return answer(200, { token: await actions.createRegistrationToken(asked) })
    if (action === 'signing-keys') return answer(200, { key_id: await actions.rotateSigningKey() })
    if (action === 'explain') return answer(200, { explanation: JSON.stringify(await actions.explain(asked)) })
    return answer(404, { errcode: 'M_UNRECOGNIZED', error: 'The running server is of another version.' })
  } catch (error) {
    if (error instanceof MatrixError) return answer(error.status, { errcode: error.errcode, error: error.message })
    throw error
  }
}

function answer(status: number, body: object): HttpResponse {
  return {
    status,
    headers: { 'cache-control': 'no-store' },
    body: JSON.stringify(body),
    meta: { operation: 'control' },
  }
}
