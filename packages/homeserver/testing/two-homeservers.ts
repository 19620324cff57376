/** Homeservers in one process that reach one another, and nobody else. */
import { createRouter } from '@holdfast/api/router'
import { responseProblems } from '@holdfast/api/testing/response-problems'
import { type HttpClient, OutgoingFailed, type OutgoingResponse, outgoingTarget } from '@holdfast/platform/http/client'
import type { HttpRequest, HttpResponse } from '@holdfast/platform/http/service'
import { LookupFailed, type Resolver } from '@holdfast/platform/dns/resolver'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import { ENDPOINTS } from '../server-server/endpoints.ts'
import { startTestHomeserver, type TestHomeserver, type TestOptions } from './homeserver.ts'

export type Exchange = {
  readonly from: string
  readonly to: string
  readonly method: string
  readonly target: string
  readonly status: number
  readonly body: string
}

export type Federation = AsyncDisposable & {
  readonly servers: readonly TestHomeserver[]
  /** What was asked of whom, in order. */
  readonly exchanges: Exchange[]
  /** From now on nobody reaches this server, or again. */
  readonly cutOff: (serverName: string, isCut: boolean) => void
}

const router = createRouter(ENDPOINTS)

export async function startFederatedHomeservers(
  names: readonly string[],
  options: TestOptions & {
    /** What servers of other kinds answer; undefined: nobody is there. */
    readonly elsewhere?: (url: string, body: string) => OutgoingResponse | undefined
  } = {},
): Promise<Federation> {
  const servers = new Map<string, TestHomeserver>()
  const cut = new Set<string>()
  const exchanges: Exchange[] = []
  for (const name of names) {
    const http = clientOf(name, { servers, cut, exchanges, elsewhere: options.elsewhere ?? (() => undefined) })
    servers.set(name, await startTestHomeserver({ ...options, serverName: name, http, resolver: noNames() }))
  }
  return {
    servers: [...servers.values()],
    exchanges,
    cutOff: (serverName, isCut) => void (isCut ? cut.add(serverName) : cut.delete(serverName)),
    [Symbol.asyncDispose]: async () => {
      for (const server of servers.values()) await server[Symbol.asyncDispose]()
    },
  }
}

type Net = {
  readonly servers: ReadonlyMap<string, TestHomeserver>
  readonly cut: ReadonlySet<string>
  readonly exchanges: Exchange[]
  readonly elsewhere: (url: string, body: string) => OutgoingResponse | undefined
}

function clientOf(from: string, { servers, cut, exchanges, elsewhere }: Net): HttpClient {
  let sent = 0
  return {
    send: async ({ method, url, headers = {}, body, signal }) => {
      const { hostname, path: target } = outgoingTarget(url)
      const other = elsewhere(url, body === undefined ? '' : Buffer.from(body as string).toString())
      if (other !== undefined) return other
      const server = servers.get(hostname)
      if (server === undefined || cut.has(hostname) || cut.has(from)) {
        throw new OutgoingFailed('unreachable', `${hostname} cannot be reached`, { maybeSent: false })
      }
      sent += 1
      const request = requestRecord({ id: `${from}-${sent}`, method, target, headers, body, signal })
      const response = await server.handle(request)
      const text = textOf(response)
      exchanges.push({ from, to: hostname, method, target, status: response.status, body: text })
      assertSpecified(request, response.status, text)
      return { status: response.status, headers: response.headers ?? {}, body: Buffer.from(text) }
    },
    [Symbol.asyncDispose]: async () => {},
  }
}

function requestRecord(sent: {
  readonly id: string
  readonly method: string
  readonly target: string
  readonly headers: Readonly<Record<string, string>>
  readonly body: string | Uint8Array | undefined
  readonly signal: AbortSignal | undefined
}): HttpRequest {
  const { target, body = '' } = sent
  const question = target.indexOf('?')
  return {
    id: sent.id,
    method: sent.method,
    target,
    path: question < 0 ? target : target.slice(0, question),
    query: question < 0 ? '' : target.slice(question + 1),
    headers: sent.headers,
    body: typeof body === 'string' ? Buffer.from(body) : body,
    remoteAddress: '127.0.0.1',
    signal: sent.signal ?? new AbortController().signal,
  }
}

function textOf({ body = '' }: HttpResponse): string {
  return typeof body === 'string' ? body : Buffer.from(body).toString()
}

function assertSpecified({ method, target, path }: HttpRequest, status: number, text: string): void {
  if (status >= 500) throw new Error(`${method} ${target} answered ${status} ${text}`)
  const match = router.match(method, path)
  if (match?.kind !== 'match' || match.operation.revisions.length === 0 || text === '') return
  // Events have an origin up to room version 2, though the schemas of invitations always want one.
  const problems = responseProblems(match.operation, { status, body: JSON.parse(text) }).filter(
    (problem) => !problem.endsWith("must have required property 'origin'"),
  )
  if (problems.length > 0) throw new Error(`${method} ${target} answered ${text}: ${problems.join('; ')}`)
}

/** Every server is found under its own name. */
function noNames(): Resolver {
  return {
    lookupSrv: async () => [],
    lookupAddresses: async (name) => {
      throw new LookupFailed(`nobody knows ${name}`)
    },
  }
}

export function nameOf(server: TestHomeserver): ServerName {
  return server.parts.serverName
}
