/** The HTTP server: knows sockets, limits and logs, and nothing of Matrix but the form of an error (docs/ARCHITECTURE.md 3). */
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http'
import type { Server as TlsServer } from 'node:https'
import type { Duplex } from 'node:stream'
import type { Clock } from '../clock/clock.ts'
import type { Log } from '../log/log.ts'
import type { AddressRanges } from './address-ranges.ts'
import { compressed } from './compress.ts'
import { responseToBrokenRequest } from './errors.ts'
import { Exchange, RequestAborted } from './exchange.ts'
import { HTTP_LIMITS, type HttpLimits } from './limits.ts'
import { type ListenAddress, listenOn, urlOf } from './listen.ts'
import type { Outcome, ServerContext } from './server-context.ts'
import type { HttpRequest, HttpResponse } from './service.ts'
import { type Certificate, readCertificate, type TlsFiles } from './tls-files.ts'
import { fewPerTurn } from './turns.ts'

// An import would read every export of node:http, and so load its WebSocket client: 15 MB for nothing. TLS, 5 MB more, is
// loaded by who serves it.
const { createServer } = process.getBuiltinModule('node:http')

export type HttpServerOptions = {
  readonly handle: (request: HttpRequest) => Promise<HttpResponse>
  readonly listen: readonly ListenAddress[]
  /** The most bytes that a request body on this path may have. Asked before anything of the body is kept. */
  readonly bodyLimit: (method: string, path: string) => number
  readonly trustedProxies: AddressRanges
  readonly clock: Clock
  readonly log: Log
  /** Starts every request id, so that ids differ between processes. */
  readonly requestIdPrefix: string
  /** Which paths web pages of other origins may use; all by default. */
  readonly cors?: (path: string) => boolean
  readonly onFinished?: (outcome: Outcome) => void
  /** Serve HTTPS with these files. */
  readonly tls?: TlsFiles
  readonly compressResponses?: boolean
  /** One line per request; true by default. */
  readonly logRequests?: boolean
  readonly limits?: Partial<HttpLimits>
}

export type HttpServer = {
  /** Where it listens, with the real port. */
  readonly addresses: readonly ListenAddress[]
  readonly urls: readonly string[]
  /** Requests that run now. */
  readonly active: number
  /** Reads the certificate files again; the old certificate stays if they cannot be used. */
  reloadCertificate(): Promise<void>
  /** Stops accepting, ends the waits of long polls, and lets running requests finish until the deadline. */
  close(deadlineMs: number): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}

const CLOSE_DEADLINE_MS = 10_000

export async function startHttpServer(options: HttpServerOptions): Promise<HttpServer> {
  const active = new Set<Exchange>()
  const state = { draining: false }
  const context = createContext(options, active, state)
  const certificate = options.tls === undefined ? undefined : await readCertificate(options.tls)
  const make = () => createNodeServer(context, active, certificate)
  const { servers, addresses } = await listenOn(make, options.listen, context.limits.backlog)
  const close = (deadlineMs: number) => drain(servers, active, state, options.clock, deadlineMs)
  return {
    addresses,
    urls: addresses.map((address) => urlOf(address, options.tls !== undefined)),
    get active() {
      return active.size
    },
    reloadCertificate: () => reloadCertificate(servers, options),
    close,
    [Symbol.asyncDispose]: () => close(CLOSE_DEADLINE_MS),
  }
}

function createContext(
  options: HttpServerOptions,
  active: Set<Exchange>,
  state: { readonly draining: boolean },
): ServerContext {
  const limits = { ...HTTP_LIMITS, ...options.limits }
  const reading = new Set<Exchange>()
  let sweeping = false
  let requests = 0
  const sweep = () => {
    if (sweeping || reading.size === 0) return
    sweeping = true
    options.clock.after(limits.sweepEveryMs, () => {
      sweeping = false
      for (const exchange of reading) exchange.checkBodySpeed()
      sweep()
    })
  }
  return {
    clock: options.clock,
    log: options.log,
    logRequests: options.logRequests ?? true,
    limits,
    trustedProxies: options.trustedProxies,
    reading,
    get draining() {
      return state.draining
    },
    ending: new WeakSet(),
    bodyLimit: options.bodyLimit,
    cors: options.cors ?? (() => true),
    takeIn: fewPerTurn(),
    handle: options.handle,
    encode: options.compressResponses === true ? compressed : (response) => response,
    finished: (exchange, outcome) => {
      active.delete(exchange)
      options.onFinished?.(outcome)
    },
    nextRequestId: () => `${options.requestIdPrefix}-${(requests += 1).toString(36)}`,
    sweep,
  }
}

function createNodeServer(context: ServerContext, active: Set<Exchange>, certificate?: Certificate): Server {
  const settings: ServerOptions = {
    maxHeaderSize: context.limits.headerBytesMax,
    keepAliveTimeout: context.limits.keepAliveMs,
    headersTimeout: context.limits.headersMs,
    // Bodies have a limit of their own, which a large upload over a slow line can keep (`checkBodySpeed`).
    requestTimeout: 0,
    // Checked by the exchange, which answers in Matrix's form.
    requireHostHeader: false,
    connectionsCheckingInterval: context.limits.sweepEveryMs,
    noDelay: true,
    // A request to a server with several keys carries several Authorization headers.
    joinDuplicateHeaders: true,
  }
  const server =
    certificate === undefined
      ? createServer(settings)
      : process.getBuiltinModule('node:https').createServer({ ...settings, ...certificate, minVersion: 'TLSv1.2' })
  const serve = (expectsContinue: boolean) => (incoming: IncomingMessage, outgoing: ServerResponse) => {
    if (context.ending.has(incoming.socket)) return
    const exchange = new Exchange(context, incoming, outgoing)
    active.add(exchange)
    exchange.start(expectsContinue)
  }
  server.on('request', serve(false))
  server.on('checkContinue', serve(true))
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => refuseBrokenRequest(error, socket, active))
  return server
}

/** While an earlier request of the same connection waits for its response, an answer here would be taken for that one's. */
function refuseBrokenRequest(error: NodeJS.ErrnoException, socket: Duplex, active: ReadonlySet<Exchange>): void {
  const busy = active.values().some((exchange) => exchange.socket === socket)
  if (busy || error.code === 'ECONNRESET' || !socket.writable) {
    socket.destroy()
    return
  }
  socket.end(responseToBrokenRequest(error.code), () => socket.destroy())
}

async function drain(
  servers: readonly Server[],
  active: ReadonlySet<Exchange>,
  state: { draining: boolean },
  clock: Clock,
  deadlineMs: number,
): Promise<void> {
  state.draining = true
  const closed = servers.map((server) => new Promise((resolve) => void server.close(resolve)))
  for (const exchange of active) exchange.abort(new RequestAborted('the server stops'))
  const deadline = clock.after(deadlineMs, () => {
    for (const server of servers) server.closeAllConnections()
  })
  await Promise.all(closed)
  deadline[Symbol.dispose]()
}

async function reloadCertificate(servers: readonly Server[], options: HttpServerOptions): Promise<void> {
  if (options.tls === undefined) return
  try {
    const certificate = await readCertificate(options.tls)
    for (const server of servers) (server as TlsServer).setSecureContext(certificate)
    options.log.info({ cert: options.tls.certFile }, 'certificate loaded')
  } catch (error) {
    options.log.error({ cert: options.tls.certFile, err: error }, 'certificate not loaded, the old one stays')
  }
}
