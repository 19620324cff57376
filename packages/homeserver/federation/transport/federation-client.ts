/** Requests to other servers: signed, to where the name leads, and not while the server is known to fail. */
import type { Clock } from '@holdfast/platform/clock/clock'
import { type HttpClient, OutgoingFailed, type OutgoingResponse } from '@holdfast/platform/http/client'
import { looseCanonicalText } from '@holdfast/protocol/event/text'
import { signRequest } from '@holdfast/protocol/federation/signed-request'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import type { SigningKey } from '@holdfast/protocol/signing/signing-key'
import type { Destinations } from './destinations.ts'
import type { Discovery } from '@holdfast/service/discovery/discovery'
import { FederationFailed } from './federation-failed.ts'
import { readResponse } from './read-response.ts'
import type { Route } from '@holdfast/service/discovery/route'

export type FederationRequest = {
  readonly destination: ServerName
  readonly method: 'GET' | 'PUT' | 'POST'
  /** Exactly as it goes out, with query, percent-encoded. */
  readonly path: string
  /** Sent as canonical JSON, and signed with the rest. */
  readonly body?: JsonObject
  /** For everything: discovery, connecting, and the answer to its last byte. */
  readonly deadlineMs: number
  readonly responseBytesMax?: number
  readonly signal?: AbortSignal
  /** Sent even if the server failed a moment ago: a user waits. */
  readonly urgent?: boolean
  /** False for the few endpoints without authentication, such as `/_matrix/key/v2/server`. */
  readonly signed?: boolean
}

export type FederationClient = {
  /**
   * Answers the JSON of a 200.
   * @throws {FederationFailed}
   */
  send(request: FederationRequest): Promise<JsonValue>
}

export type FederationClientDeps = {
  readonly http: HttpClient
  readonly discovery: Discovery
  readonly destinations: Destinations
  readonly clock: Clock
  readonly serverName: ServerName
  /** Asked for each request, for keys change. */
  readonly signingKey: () => SigningKey
}

export const FEDERATION_LIMITS = {
  responseBytesMax: 10_000_000,
  /** With less time left than this, a second address or a second try is not begun. */
  triedAgainMsMin: 500,
} as const

export function openFederationClient(deps: FederationClientDeps): FederationClient {
  return { send: (request) => send(deps, request) }
}

async function send(deps: FederationClientDeps, request: FederationRequest): Promise<JsonValue> {
  const { destination, urgent = false } = request
  if (destination === deps.serverName) throw new FederationFailed('own-server', 'a server sends no requests to itself')
  const admission = await deps.destinations.admit(destination, urgent)
  if (admission.kind === 'wait') {
    const { retryAfterMs } = admission
    throw new FederationFailed('backing-off', `${destination} failed before and is left alone`, { retryAfterMs })
  }
  try {
    const answer = await readResponse(await exchange(deps, request), deps.clock)
    deps.destinations.succeeded(destination)
    return answer
  } catch (error) {
    throw judged(deps, destination, error)
  } finally {
    admission.done()
  }
}

/** Tells the destinations what the failure says about the server, and gives it its one form. */
function judged({ destinations }: FederationClientDeps, destination: ServerName, error: unknown): unknown {
  if (error instanceof FederationFailed) {
    const { status = 0, message, retryAfterMs } = error
    // Any other 4xx is about the request, and comes from a server that is there.
    if (status >= 500 || status === 429) destinations.failed(destination, { message, retryAfterMs })
    else destinations.succeeded(destination)
    return error
  }
  if (!(error instanceof OutgoingFailed)) return error
  const { failure, message } = error
  if (failure !== 'aborted') destinations.failed(destination, { message: `${failure}: ${message}` })
  return new FederationFailed(failure, `${destination}: ${message}`, { cause: error })
}

async function exchange(deps: FederationClientDeps, request: FederationRequest): Promise<OutgoingResponse> {
  const { clock, discovery } = deps
  const endMs = clock.monotonicMs() + request.deadlineMs
  const prepared = prepare(deps, request)
  const route = await inTime(discovery.resolveServer(request.destination), clock, request)
  const remainingMs = () => endMs - clock.monotonicMs()
  try {
    return await tryAddresses(deps.http, prepared, route, remainingMs)
  } catch (error) {
    if (error instanceof OutgoingFailed && !error.maybeSent) discovery.doubt(request.destination)
    throw error
  }
}

type Prepared = Pick<FederationRequest, 'method' | 'path' | 'signal'> & {
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | undefined
  readonly responseBytesMax: number
}

function prepare({ serverName, signingKey }: FederationClientDeps, request: FederationRequest): Prepared {
  const { destination, method, path, body: content, signal } = request
  const body = content === undefined ? undefined : looseCanonicalText(content)
  if (content !== undefined && body === undefined) throw new TypeError('the body of a request has no canonical form')
  const headers: Record<string, string> = { accept: 'application/json' }
  if (body !== undefined) headers['content-type'] = 'application/json'
  if (request.signed !== false) {
    const signable = { method, uri: path, origin: serverName, destination, content }
    headers['authorization'] = signRequest(signable, signingKey())
  }
  const responseBytesMax = request.responseBytesMax ?? FEDERATION_LIMITS.responseBytesMax
  return { method, path, headers, body, responseBytesMax, ...(signal === undefined ? {} : { signal }) }
}

/** Goes on to the next address only while not a byte of the request can have arrived. */
async function tryAddresses(
  http: HttpClient,
  prepared: Prepared,
  route: Route,
  remainingMs: () => number,
): Promise<OutgoingResponse> {
  let last: unknown
  for (const [index, connectTo] of route.connectTo.entries()) {
    // The first of several must leave time for the others.
    const isLast = index === route.connectTo.length - 1
    if (index > 0 && remainingMs() < FEDERATION_LIMITS.triedAgainMsMin) break
    try {
      return await sendTwice(http, prepared, { route, connectTo }, remainingMs)
    } catch (error) {
      if (isLast || !(error instanceof OutgoingFailed) || error.maybeSent) throw error
      last = error
    }
  }
  throw last
}

type Address = { readonly route: Route; readonly connectTo: Route['connectTo'][number] }

/**
 * A connection that was kept may have been closed by the other side as our request set out. Requests with these methods
 * may arrive twice: a GET changes nothing, and a PUT has an id.
 */
async function sendTwice(
  http: HttpClient,
  prepared: Prepared,
  address: Address,
  remainingMs: () => number,
): Promise<OutgoingResponse> {
  try {
    return await sendOnce(http, prepared, address, remainingMs())
  } catch (error) {
    const mayRepeat = prepared.method !== 'POST' && remainingMs() >= FEDERATION_LIMITS.triedAgainMsMin
    const wasCutOff = error instanceof OutgoingFailed && error.failure === 'unreachable' && error.maybeSent
    if (!mayRepeat || !wasCutOff) throw error
    return sendOnce(http, prepared, address, remainingMs())
  }
}

function sendOnce(
  http: HttpClient,
  { method, path, headers, body, responseBytesMax, signal }: Prepared,
  { route: { hostHeader, tlsName }, connectTo }: Address,
  deadlineMs: number,
): Promise<OutgoingResponse> {
  const host = tlsName.includes(':') ? `[${tlsName}]` : tlsName
  return http.send({
    method,
    url: `https://${host}${path}`,
    headers: { ...headers, host: hostHeader },
    ...(body === undefined ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
    deadlineMs,
    responseBytesMax,
    connectTo,
  })
}

/** Discovery is shared, so whoever gives up leaves it to the others. */
async function inTime<T>(
  running: Promise<T>,
  clock: Clock,
  { deadlineMs, signal }: Pick<FederationRequest, 'deadlineMs' | 'signal'>,
): Promise<T> {
  const givenUp = Promise.withResolvers<never>()
  const onAbort = () => givenUp.reject(new OutgoingFailed('aborted', 'the request was given up', { maybeSent: false }))
  if (signal?.aborted === true) onAbort()
  signal?.addEventListener('abort', onAbort, { once: true })
  const timer = clock.after(deadlineMs, () => {
    givenUp.reject(new OutgoingFailed('timeout', `not found within ${deadlineMs} ms`, { maybeSent: false }))
  })
  try {
    return await Promise.race([running, givenUp.promise])
  } finally {
    timer[Symbol.dispose]()
    signal?.removeEventListener('abort', onAbort)
  }
}
