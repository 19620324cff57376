/** From a request of another server to a handler's arguments: which server asks, and what, parsed at this edge and nowhere later. */
import type { Operation } from '@holdfast/api/operation'
import type { HttpRequest } from '@holdfast/platform/http/service'
import { matrixError } from '@holdfast/protocol/errors'
import { parseExactly } from '@holdfast/protocol/event/exact-json'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonValue } from '@holdfast/protocol/json/value'
import { INPUT_LIMITS } from '@holdfast/protocol/limits'
import type { Homeserver } from '../homeserver.ts'
import type { Endpoint } from '../http/endpoint.ts'
import { jsonBody, type JsonBody } from '@holdfast/service/http/json-body'
import { toHttpResponse, type Answer } from '@holdfast/service/http/reply'
import { authenticate } from './authenticate.ts'
import type { SlotKind } from './request-slots.ts'

/** What a handler is given. `origin` is the server that proved to have sent the request; undefined where anybody may ask. */
export type FederationInput<Params, Query, Body, Origin> = {
  readonly deps: Homeserver
  readonly origin: Origin
  readonly params: Params
  readonly query: Query
  readonly body: Body
  readonly request: HttpRequest
  /** The JSON body with its numbers as they are spelt; undefined where they are canonical anyway. */
  readonly exactBody: () => JsonValue | undefined
}

export type FederationEndpoint = Endpoint

/** An endpoint for other servers: the request carries a signature of the server that sends it. */
export function federationRoute<Params, Query, Body>(
  operation: Operation<Params, Query, Body>,
  handler: (input: FederationInput<Params, Query, Body, ServerName>) => Promise<Answer>,
): FederationEndpoint {
  return endpoint(operation, handler, authenticate)
}

/** An endpoint that anybody may ask. */
export function openRoute<Params, Query, Body>(
  operation: Operation<Params, Query, Body>,
  handler: (input: FederationInput<Params, Query, Body, undefined>) => Promise<Answer>,
): FederationEndpoint {
  return endpoint(operation, handler, async () => undefined)
}

type Identify<Origin> = (deps: Homeserver, request: HttpRequest, body: () => JsonBody | undefined) => Promise<Origin>

function endpoint<Params, Query, Body, Origin extends ServerName | undefined>(
  operation: Operation<Params, Query, Body>,
  handler: (input: FederationInput<Params, Query, Body, Origin>) => Promise<Answer>,
  identify: Identify<Origin>,
): FederationEndpoint {
  const slots = SLOTS.get(operation.id)
  return {
    ...(operation as Operation),
    answer: async (deps, request, rawParams) => {
      const bodyOnce = readBodyOnce(operation.id, request)
      const origin = await identify(deps, request, bodyOnce)
      const params = operation.parseParams(rawParams)
      const query = operation.parseQuery(request.query)
      const body = operation.parseBody(operation.bodyKind === 'json' ? bodyOnce()?.value : request.body)
      const input = { deps, origin, params, query, body, request, exactBody: exactBodyOf(request, bodyOnce) }
      const answer = () => handler(input)
      const response = toHttpResponse(await (slots === undefined ? answer() : inSlot(slots, input, answer)))
      return origin === undefined ? response : { ...response, meta: { requester: origin } }
    },
  }
}

/** What can cost much more than the request did. */
const SLOTS: ReadonlyMap<string, SlotKind> = new Map([
  ['sendTransaction', 'transactions'],
  ['getRoomState', 'reads'],
  ['getRoomStateIds', 'reads'],
  ['getEventAuth', 'reads'],
  ['compareEventAuth', 'reads'],
  ['backfillRoom', 'reads'],
  ['getMissingPreviousEvents', 'reads'],
  ['sendJoin', 'reads'],
  ['sendJoinV2', 'reads'],
  ['getSpaceHierarchy', 'reads'],
  ['askPolicyServerToSign', 'reads'],
  ['queryUserEncryptionKeys', 'keys'],
])

type Asked = { readonly deps: Homeserver; readonly origin: ServerName | undefined; readonly request: HttpRequest }

function inSlot<T>(kind: SlotKind, { deps, origin, request }: Asked, work: () => Promise<T>): Promise<T> {
  if (origin === undefined) return work()
  return deps.requestSlots[kind].run({ origin, bytes: request.body.length, signal: request.signal }, work)
}

function exactBodyOf(request: HttpRequest, bodyOnce: () => JsonBody | undefined): () => JsonValue | undefined {
  return () => {
    if (bodyOnce()?.canonicalNumbers !== false) return undefined
    return parseExactly(Buffer.from(request.body).toString('utf8'))
  }
}

/**
 * The body is parsed when it is first asked for, which is after the sender was found to be one whose signature could hold: a
 * parsed body costs more than the bytes did. Events inside one another as deep as they like are bounded by their size.
 */
function readBodyOnce(operationId: string, request: HttpRequest): () => JsonBody | undefined {
  let body: JsonBody | undefined | 'not read' = 'not read'
  return () => {
    if (body !== 'not read') return body
    if (request.body.length > bodyBytesMax(operationId)) {
      throw matrixError('M_TOO_LARGE', `The body of this request may have ${bodyBytesMax(operationId)} bytes.`)
    }
    body = jsonBody(request, { depthMax: Infinity })
    return body
  }
}

/** The HTTP server admits what a transaction may have on every path of federation. */
function bodyBytesMax(operationId: string): number {
  return operationId === 'sendTransaction'
    ? INPUT_LIMITS.federationTransactionBytesMax
    : INPUT_LIMITS.federationBodyBytesMax
}
