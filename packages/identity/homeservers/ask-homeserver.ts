/** Requests to homeservers: where the name leads, bounded in time and size, and never where an answer redirects to. */
import { type HttpClient, OutgoingFailed, type OutgoingResponse } from '@holdfast/platform/http/client'
import type { Clock } from '@holdfast/platform/clock/clock'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { Discovery } from '@holdfast/service/discovery/discovery'
import type { Route } from '@holdfast/service/discovery/route'

export type HomeserverRequest = {
  readonly method: 'GET' | 'PUT' | 'POST'
  /** With query, percent-encoded. */
  readonly path: string
  /** JSON. */
  readonly body?: string
  readonly deadlineMs: number
  readonly responseBytesMax: number
  readonly signal?: AbortSignal
}

export type Homeservers = {
  /** @throws {OutgoingFailed} there was no answer */
  ask(server: ServerName, request: HomeserverRequest): Promise<OutgoingResponse>
}

export type HomeserversDeps = {
  readonly http: HttpClient
  readonly discovery: Discovery
  readonly clock: Clock
  /** The origin of a homeserver that needs no discovery: the one that this service belongs to. */
  readonly originOf: (server: ServerName) => string | undefined
}

export function openHomeservers(deps: HomeserversDeps): Homeservers {
  return {
    ask: async (server, request) => {
      const origin = deps.originOf(server)
      if (origin !== undefined) return deps.http.send(outgoing(request, `${origin}${request.path}`, {}))
      const endMs = deps.clock.monotonicMs() + request.deadlineMs
      const route = await inTime(deps, server, request.deadlineMs)
      return tryAddresses(deps, route, request, endMs)
    },
  }
}

/** Goes on to the next address only while not a byte of the request can have arrived. */
async function tryAddresses(
  { http, clock }: HomeserversDeps,
  route: Route,
  request: HomeserverRequest,
  endMs: number,
): Promise<OutgoingResponse> {
  const host = route.tlsName.includes(':') ? `[${route.tlsName}]` : route.tlsName
  let last: unknown = new OutgoingFailed('unreachable', 'the name leads to no address', { maybeSent: false })
  for (const connectTo of route.connectTo) {
    const deadlineMs = endMs - clock.monotonicMs()
    if (deadlineMs <= 0) break
    const sent = outgoing({ ...request, deadlineMs }, `https://${host}${request.path}`, { host: route.hostHeader })
    try {
      return await http.send({ ...sent, connectTo })
    } catch (error) {
      if (!(error instanceof OutgoingFailed) || error.maybeSent) throw error
      last = error
    }
  }
  throw last
}

function outgoing(request: HomeserverRequest, url: string, headers: Readonly<Record<string, string>>) {
  const { method, body, deadlineMs, responseBytesMax, signal } = request
  const typed = body === undefined ? {} : { 'content-type': 'application/json' }
  return {
    method,
    url,
    headers: { accept: 'application/json', ...typed, ...headers },
    deadlineMs,
    responseBytesMax,
    ...(body === undefined ? {} : { body }),
    ...(signal === undefined ? {} : { signal }),
  }
}

/** Discovery is shared, so whoever gives up leaves it to the others. */
async function inTime({ discovery, clock }: HomeserversDeps, server: ServerName, deadlineMs: number): Promise<Route> {
  const late = Promise.withResolvers<never>()
  using _timer = clock.after(deadlineMs, () => {
    late.reject(new OutgoingFailed('timeout', `not found within ${deadlineMs} ms`, { maybeSent: false }))
  })
  return await Promise.race([discovery.resolveServer(server), late.promise])
}
