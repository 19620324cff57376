/** An endpoint of the specification as a value: where it answers, who may call it, and how its request is read. */

import { matrixError } from '@holdfast/protocol/errors'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import { check, problemText } from './check.ts'
import { parseQuery, type QueryParameter } from './query.ts'
import { allowsAbsence, type Shape } from './shape.ts'

export type Api = 'client-server' | 'server-server' | 'identity' | 'application-service' | 'push-gateway'

/** Raw path parameters as the router found them: still percent-encoded. */
export type RawParams = Readonly<Record<string, string>>

/** No path parameters. */
export type NoParams = object
/** No query parameters. */
export type NoQuery = object
/** The operation reads no body; one that is sent anyway is ignored. */
export type NoBody = undefined

export type Operation<Params = unknown, Query = unknown, Body = unknown> = {
  /** The operationId of the specification. */
  readonly id: string
  /** The specification file that defines it; handlers live in a file of this name. */
  readonly stem: string
  readonly api: Api
  readonly method: string
  /** Every path it answers on, all version prefixes, parameters in braces. */
  readonly paths: readonly string[]
  readonly auth: 'none' | 'optional' | 'required'
  /** What proves who asks, where `auth` is not `none`. */
  readonly credential:
    | 'access-token'
    | 'appservice-token'
    | 'identity-token'
    | 'homeserver-token'
    | 'server-signature'
    | undefined
  /** Whether a guest's access token is enough. */
  readonly guests: boolean
  readonly rateLimited: boolean
  readonly deprecated: boolean
  readonly revisions: readonly ('2018-08' | 'v1.19')[]
  /** `json`: parse the body and give it to parseBody (undefined if it is empty). `bytes`: give it as it is. */
  readonly bodyKind: 'none' | 'json' | 'bytes'
  parseParams(raw: RawParams): Params
  /** `raw` is the query string without `?`. */
  parseQuery(raw: string): Query
  parseBody(input: JsonValue | Uint8Array | undefined): Body
}

export type Definition = Omit<Operation, 'bodyKind' | 'parseParams' | 'parseQuery' | 'parseBody'> & {
  readonly params: Readonly<Record<string, Shape>>
  /** The value of a parameter on those paths that do not have it. */
  readonly absent: Readonly<Record<string, string>>
  readonly query: Readonly<Record<string, QueryParameter>>
  readonly body: Shape | undefined
}

/** A whole body, or any object in it, with all members that the request had. */
export function members(body: object): JsonObject {
  return body as JsonObject
}

/** The entries of a record whose keys are branded (`Object.entries` forgets the brand). */
export function entriesOf<Key extends string, Value>(record: Readonly<Record<Key, Value>>): readonly [Key, Value][] {
  return Object.entries(record) as [Key, Value][]
}

/** Decodes one path segment, once. */
function decodeSegment(name: string, raw: string): string {
  try {
    if (/^[\x21-\x7e]*$/.test(raw)) return raw.includes('%') ? decodeURIComponent(raw) : raw
  } catch {
    // Falls through to the refusal: the encoding is broken.
  }
  throw matrixError('M_INVALID_PARAM', `\`${name}\` in the path is not percent-encoded UTF-8.`)
}

function parsePathParams(definition: Definition, raw: RawParams): Record<string, string> {
  const params: Record<string, string> = {}
  for (const name of Object.keys(definition.params)) {
    const segment = raw[name]
    if (segment === undefined) {
      params[name] = definition.absent[name] ?? ''
      continue
    }
    const value = decodeSegment(name, segment)
    const problem = check(definition.params[name]!, value)
    if (problem !== undefined) throw matrixError('M_INVALID_PARAM', `\`${name}\` in the path ${problem.must}.`)
    params[name] = value
  }
  return params
}

function parseJsonBody(shape: Shape, input: JsonValue | undefined): JsonValue {
  if (input === undefined) {
    if (allowsAbsence(shape)) return {}
    throw matrixError('M_NOT_JSON', 'The body is empty, but must be a JSON object.')
  }
  const problem = check(shape, input)
  if (problem === undefined) return input
  // A missing member further down is a malformed value, not a missing parameter.
  const errcode = problem.errcode === 'M_MISSING_PARAM' && problem.path.length > 1 ? 'M_BAD_JSON' : problem.errcode
  throw matrixError(errcode, problemText(problem))
}

function parseAnyBody(shape: Shape | undefined, input: JsonValue | Uint8Array | undefined): unknown {
  if (shape === undefined) return undefined
  if (shape.kind === 'bytes') return input instanceof Uint8Array ? input : new Uint8Array()
  if (input instanceof Uint8Array) throw matrixError('M_NOT_JSON', 'The body must be JSON.')
  return parseJsonBody(shape, input)
}

/** Makes an operation of its definition. The types are those that the generator wrote beside it. */
export function operation<Params, Query, Body>(definition: Definition): Operation<Params, Query, Body> {
  const { params: _params, absent: _absent, query, body, ...described } = definition
  return {
    ...described,
    bodyKind: body === undefined ? 'none' : body.kind === 'bytes' ? 'bytes' : 'json',
    parseParams: (raw) => parsePathParams(definition, raw) as Params,
    parseQuery: (raw) => parseQuery(query, raw) as Query,
    parseBody: (input) => parseAnyBody(body, input) as Body,
  }
}
