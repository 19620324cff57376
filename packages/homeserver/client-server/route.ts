/** From an HTTP request to a handler's arguments: who asks, how often, and what, parsed at this edge and nowhere later. */
import type { Operation, RawParams } from '@holdfast/api/operation'
import type { HttpRequest, HttpResponse } from '@holdfast/platform/http/service'
import { matrixError } from '@holdfast/protocol/errors'
import { parseJson } from '@holdfast/protocol/json/parse'
import type { JsonValue } from '@holdfast/protocol/json/value'
import { authenticate } from '../accounts/authenticate.ts'
import { requireUnsuspended, type Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { toHttpResponse, type Answer } from './reply.ts'

/** What a handler is given. `requester` is there where the operation requires an access token. */
export type RouteInput<Params, Query, Body, Who> = {
  readonly deps: Homeserver
  readonly requester: Who
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly request: HttpRequest
}

/** An operation with its handler, as the service calls it. */
export type Endpoint = Operation & {
  answer(deps: Homeserver, request: HttpRequest, rawParams: RawParams): Promise<HttpResponse>
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
      const body = operation.parseBody(operation.bodyKind === 'json' ? jsonBody(request) : request.body)
      const response = toHttpResponse(await handler({ deps, requester, params, query, body, request }))
      return requester === undefined ? response : { ...response, meta: { requester: requester.userId } }
    },
  }
}

const JSON_PROBLEM_CODES = {
  encoding: 'M_NOT_JSON',
  syntax: 'M_NOT_JSON',
  depth: 'M_BAD_JSON',
  'duplicate-key': 'M_BAD_JSON',
  'lone-surrogate': 'M_BAD_JSON',
  'number-out-of-range': 'M_BAD_JSON',
} as const

function jsonBody(request: HttpRequest): JsonValue | undefined {
  if (request.body.length === 0) return undefined
  const parsed = parseJson(request.body)
  if (!parsed.ok) throw matrixError(JSON_PROBLEM_CODES[parsed.problem], `The body cannot be read: ${parsed.message}`)
  return parsed.value
}
