/** From an HTTP request to a handler's arguments: who asks, how often, and what, parsed at this edge and nowhere later. */
import type { Operation } from '@holdfast/api/operation'
import type { HttpRequest } from '@holdfast/platform/http/service'
import { matrixError } from '@holdfast/protocol/errors'
import { authenticate } from '../accounts/authenticate.ts'
import { requireUnsuspended, type Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import type { Endpoint } from '../http/endpoint.ts'
import { jsonBody } from '@holdfast/service/http/json-body'
import { toHttpResponse, type Answer } from '@holdfast/service/http/reply'

/** What a handler is given. `requester` is there where the operation requires an access token. */
export type RouteInput<Params, Query, Body, Who> = {
  readonly deps: Homeserver
  readonly requester: Who
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly request: HttpRequest
}

type AnyOperation<Params, Query, Body> = Operation<Params, Query, Body>

/** An endpoint for users: an access token is required. Guests need an operation that allows them. */
export function route<Params, Query, Body>(
  operation: AnyOperation<Params, Query, Body>,
  handler: (input: RouteInput<Params, Query, Body, Requester>) => Promise<Answer>,
): Endpoint {
  return endpoint(operation, handler, async (deps, request) => {
    const requester = await authenticate(deps, request)
    if (requester === undefined) throw matrixError('M_MISSING_TOKEN', 'This endpoint needs an access token.')
    if (requester.isGuest && !operation.guests) {
      throw matrixError('M_GUEST_ACCESS_FORBIDDEN', 'Guests cannot do this; register an account first.')
    }
    if (FORBIDDEN_TO_SUSPENDED.has(operation.id)) requireUnsuspended(requester)
    return requester
  })
}

/** What a suspended account cannot do. <https://spec.matrix.org/v1.19/client-server-api/#account-suspension> */
const FORBIDDEN_TO_SUSPENDED = new Set([
  'createRoom',
  'inviteUser',
  'joinRoom',
  'joinRoomById',
  'knockRoom',
  'sendMessage',
  'sendMessageOnce',
  'setRoomStateWithKey',
  'upgradeRoom',
])

/** An endpoint that also answers without an access token; a wrong token is refused all the same. */
export function publicRoute<Params, Query, Body>(
  operation: AnyOperation<Params, Query, Body>,
  handler: (input: RouteInput<Params, Query, Body, Requester | undefined>) => Promise<Answer>,
): Endpoint {
  return endpoint(operation, handler, (deps, request) =>
    operation.auth === 'none' ? Promise.resolve(undefined) : authenticate(deps, request),
  )
}

function endpoint<Params, Query, Body, Who extends Requester | undefined>(
  operation: AnyOperation<Params, Query, Body>,
  handler: (input: RouteInput<Params, Query, Body, Who>) => Promise<Answer>,
  identify: (deps: Homeserver, request: HttpRequest) => Promise<Who>,
): Endpoint {
  return {
    ...(operation as Operation),
    answer: async (deps, request, rawParams) => {
      const requester = await identify(deps, request)
      const params = operation.parseParams(rawParams)
      const query = operation.parseQuery(request.query)
      const body = operation.parseBody(operation.bodyKind === 'json' ? jsonBody(request)?.value : request.body)
      const response = toHttpResponse(await handler({ deps, requester, params, query, body, request }))
      return requester === undefined ? response : { ...response, meta: { requester: requester.userId } }
    },
  }
}
