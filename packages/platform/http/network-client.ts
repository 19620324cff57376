/** The HttpClient on the network. undici is loaded at the first request: a server without federation never pays for it. */
import { lookup as systemLookup } from 'node:dns'
import type { LookupFunction, Socket } from 'node:net'
import { LRUCache } from 'lru-cache'
import type * as Undici from 'undici'
import type { Clock } from '../clock/clock.ts'
import type { AddressRanges } from './address-ranges.ts'
import {
  type HttpClient,
  OutgoingFailed,
  type OutgoingRequest,
  type OutgoingResponse,
  type OutgoingTarget,
  outgoingTarget,
} from './client.ts'
import { guardedConnector, type OutgoingTls } from './guarded-connect.ts'
import { outgoingFailure } from './outgoing-failure.ts'
import { mayConnect } from './private-addresses.ts'

export const OUTGOING_LIMITS = {
  connectMs: 10_000,
  idleBodyMs: 30_000,
  keepAliveMs: 30_000,
  connectionsPerOrigin: 16,
  originsOpenMax: 1_000,
} as const

export type NetworkClientOptions = {
  readonly clock: Clock
  /** Ranges that are let through although they are private. */
  readonly allow: AddressRanges
  /** Authorities to trust beside the usual ones, as PEM (`readTrustedCa`). */
  readonly trustedCa?: string
  readonly userAgent: string
  /** By default the system's. */
  readonly lookup?: LookupFunction
}

export function createNetworkClient(options: NetworkClientOptions): HttpClient {
  const pools = new LRUCache<string, Undici.Pool>({
    max: OUTGOING_LIMITS.originsOpenMax,
    // Closing lets requests that are under way finish. It fails on a pool that is destroyed already, which is no loss.
    dispose: (pool) => void pool.close().catch(() => {}),
  })
  const connecting = new Set<Socket>()
  let loading: Promise<Loaded> | undefined
  return {
    send: async (request) => {
      const target = outgoingTarget(request.url)
      loading ??= load(options)
      const loaded = await loading
      const { connectTo } = request
      const key = connectTo === undefined ? target.origin : `${target.origin} ${connectTo.host} ${connectTo.port}`
      let pool = pools.get(key)
      if (pool === undefined) {
        pool = openPool(loaded, { target, connectTo, connecting }, options)
        pools.set(key, pool)
      }
      return sendThrough(pool, target.path, request, options)
    },
    [Symbol.asyncDispose]: async () => {
      for (const socket of connecting) socket.destroy(new OutgoingFailed('aborted', 'the server stops'))
      const open = [...pools.values()]
      await Promise.all(open.map((pool) => pool.destroy()))
      pools.clear()
    },
  }
}

type Loaded = { readonly undici: typeof Undici; readonly tls: OutgoingTls }

async function load({ trustedCa }: NetworkClientOptions): Promise<Loaded> {
  const [undici, { checkServerIdentity, createSecureContext, getCACertificates }] = await Promise.all([
    import('undici'),
    import('node:tls'),
  ])
  const secureContext =
    trustedCa === undefined ? undefined : createSecureContext({ ca: [...getCACertificates('default'), trustedCa] })
  return { undici, tls: { checkServerIdentity, secureContext } }
}

type PoolTarget = {
  readonly target: OutgoingTarget
  readonly connectTo: OutgoingRequest['connectTo']
  readonly connecting: Set<Socket>
}

function openPool(
  { undici, tls }: Loaded,
  { target, connectTo, connecting }: PoolTarget,
  { allow, lookup }: NetworkClientOptions,
): Undici.Pool {
  const connect = guardedConnector(undici.buildConnector, {
    guard: (address) => mayConnect(address, allow),
    connectMs: OUTGOING_LIMITS.connectMs,
    tls,
    lookup: lookup ?? systemLookup,
    connecting,
    name: target.hostname,
    connectTo: connectTo ?? { host: target.hostname, port: target.port },
  })
  return new undici.Pool(target.origin, {
    connect,
    connections: OUTGOING_LIMITS.connectionsPerOrigin,
    keepAliveTimeout: OUTGOING_LIMITS.keepAliveMs,
    bodyTimeout: OUTGOING_LIMITS.idleBodyMs,
    allowH2: false,
  })
}

async function sendThrough(
  pool: Undici.Pool,
  path: string,
  request: OutgoingRequest,
  { clock, userAgent }: NetworkClientOptions,
): Promise<OutgoingResponse> {
  const controller = new AbortController()
  const deadline = clock.after(request.deadlineMs, () => {
    controller.abort(new OutgoingFailed('timeout', `no complete response within ${request.deadlineMs} ms`))
  })
  const signal = request.signal === undefined ? controller.signal : AbortSignal.any([request.signal, controller.signal])
  const givenUp = rejection(signal)
  try {
    // undici heeds the signal only once it is connected.
    return await Promise.race([exchange(pool, path, request, { userAgent, signal }), givenUp.promise])
  } catch (error) {
    if (request.signal?.aborted === true) {
      throw new OutgoingFailed('aborted', 'the request was given up', { cause: error })
    }
    throw outgoingFailure(error, { maybeSent: true })
  } finally {
    deadline[Symbol.dispose]()
    givenUp[Symbol.dispose]()
  }
}

async function exchange(
  pool: Undici.Pool,
  path: string,
  request: OutgoingRequest,
  { userAgent, signal }: { readonly userAgent: string; readonly signal: AbortSignal },
): Promise<OutgoingResponse> {
  const response = await pool.request({
    method: request.method,
    path,
    headers: { 'user-agent': userAgent, 'accept-encoding': 'identity', ...request.headers },
    body: request.body ?? null,
    headersTimeout: request.deadlineMs,
    signal,
  })
  const headers = joined(response.headers)
  const body = await readBounded(response.body, headers, request.responseBytesMax)
  return { status: response.statusCode, headers, body }
}

function rejection(signal: AbortSignal): Disposable & { readonly promise: Promise<never> } {
  const { promise, reject } = Promise.withResolvers<never>()
  const onAbort = () => reject(signal.reason)
  if (signal.aborted) onAbort()
  else signal.addEventListener('abort', onAbort, { once: true })
  return { promise, [Symbol.dispose]: () => signal.removeEventListener('abort', onAbort) }
}

function joined(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string | undefined> {
  const plain: Record<string, string | undefined> = Object.create(null)
  for (const [name, value] of Object.entries(headers)) plain[name] = Array.isArray(value) ? value.join(', ') : value
  return plain
}

async function readBounded(
  body: AsyncIterable<Uint8Array> & { destroy(): unknown },
  headers: Readonly<Record<string, string | undefined>>,
  bytesMax: number,
): Promise<Uint8Array> {
  const encoding = headers['content-encoding']
  const refusal =
    encoding !== undefined && encoding !== 'identity'
      ? new OutgoingFailed('bad-response', 'the response is compressed, which was not asked for')
      : Number(headers['content-length'] ?? 0) > bytesMax
        ? new OutgoingFailed('too-large', `the response is larger than ${bytesMax} bytes`)
        : undefined
  const chunks: Uint8Array[] = []
  let bytes = 0
  // Leaving the loop by a throw destroys the stream and its connection.
  for await (const chunk of body) {
    if (refusal !== undefined) throw refusal
    bytes += chunk.length
    if (bytes > bytesMax) throw new OutgoingFailed('too-large', `the response is larger than ${bytesMax} bytes`)
    chunks.push(chunk)
  }
  if (refusal !== undefined) throw refusal
  return chunks.length === 1 ? chunks[0]! : Buffer.concat(chunks, bytes)
}
