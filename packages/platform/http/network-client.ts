/** The HttpClient on the network. undici is loaded at the first request: a server without federation never pays for it. */
import { readFile } from 'node:fs/promises'
import { lookup as systemLookup } from 'node:dns'
import type { LookupFunction } from 'node:net'
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
import { guardedConnector } from './guarded-connect.ts'
import { mayConnect } from './private-addresses.ts'

export const OUTGOING_LIMITS = {
  connectMs: 10_000,
  headersMs: 30_000,
  idleBodyMs: 30_000,
  keepAliveMs: 30_000,
  connectionsPerOrigin: 16,
  originsOpenMax: 1_000,
} as const

export type NetworkClientOptions = {
  readonly clock: Clock
  /** Ranges that are let through although they are private. */
  readonly allow: AddressRanges
  /** A PEM file of authorities to trust beside the usual ones. */
  readonly trustedCaFile?: string
  readonly userAgent: string
  /** For tests. */
  readonly lookup?: LookupFunction
}

export function createNetworkClient(options: NetworkClientOptions): HttpClient {
  const pools = new LRUCache<string, Undici.Pool>({
    max: OUTGOING_LIMITS.originsOpenMax,
    // Closing lets requests that are under way finish. It fails on a pool that is destroyed already, which is no loss.
    dispose: (pool) => void pool.close().catch(() => {}),
  })
  let loading: Promise<Loaded> | undefined
  return {
    send: async (request) => {
      const target = outgoingTarget(request.url)
      loading ??= load(options)
      const { undici, ca } = await loading
      const { connectTo } = request
      const key = connectTo === undefined ? target.origin : `${target.origin} ${connectTo.host} ${connectTo.port}`
      let pool = pools.get(key)
      if (pool === undefined) {
        pool = openPool({ undici, ca }, target, connectTo, options)
        pools.set(key, pool)
      }
      return sendThrough(pool, target.path, request, options)
    },
    [Symbol.asyncDispose]: async () => {
      const open = [...pools.values()]
      await Promise.all(open.map((pool) => pool.destroy()))
      pools.clear()
    },
  }
}

type Loaded = { readonly undici: typeof Undici; readonly ca: readonly string[] | undefined }

async function load(options: NetworkClientOptions): Promise<Loaded> {
  const undici = await import('undici')
  if (options.trustedCaFile === undefined) return { undici, ca: undefined }
  const { getCACertificates } = await import('node:tls')
  return { undici, ca: [...getCACertificates('default'), await readFile(options.trustedCaFile, 'utf8')] }
}

function openPool(
  { undici, ca }: Loaded,
  target: OutgoingTarget,
  connectTo: OutgoingRequest['connectTo'],
  { allow, lookup }: NetworkClientOptions,
): Undici.Pool {
  const connect = guardedConnector(undici.buildConnector, {
    guard: (address) => mayConnect(address, allow),
    connectMs: OUTGOING_LIMITS.connectMs,
    ca,
    lookup: lookup ?? systemLookup,
    name: target.hostname,
    connectTo: connectTo ?? { host: target.hostname, port: target.port },
  })
  return new undici.Pool(target.origin, {
    connect,
    connections: OUTGOING_LIMITS.connectionsPerOrigin,
    keepAliveTimeout: OUTGOING_LIMITS.keepAliveMs,
    headersTimeout: OUTGOING_LIMITS.headersMs,
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
  try {
    const response = await pool.request({
      method: request.method,
      path,
      headers: { 'user-agent': userAgent, 'accept-encoding': 'identity', ...request.headers },
      body: request.body ?? null,
      signal,
    })
    const headers = joined(response.headers)
    const body = await readBounded(response.body, headers, request.responseBytesMax)
    return { status: response.statusCode, headers, body }
  } catch (error) {
    throw classified(error, request.signal)
  } finally {
    deadline[Symbol.dispose]()
  }
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

function classified(error: unknown, callerSignal: AbortSignal | undefined): OutgoingFailed {
  for (let cause: unknown = error; cause instanceof Error; cause = cause.cause) {
    if (cause instanceof OutgoingFailed) return cause
    if (cause instanceof AggregateError) cause.cause ??= cause.errors.find((one) => one instanceof OutgoingFailed)
  }
  if (callerSignal?.aborted === true) return new OutgoingFailed('aborted', 'the request was given up', { cause: error })
  const { code, name } = error as { readonly code?: unknown; readonly name?: unknown }
  // The parser's errors have a code only now and then.
  const known = name === 'HTTPParserError' ? 'bad-response' : undefined
  const failure = typeof code === 'string' ? (FAILURES[code] ?? certificateFailure(code) ?? known) : known
  return new OutgoingFailed(failure ?? 'unreachable', error instanceof Error ? error.message : 'no response', {
    cause: error,
  })
}

const FAILURES: Readonly<Record<string, 'timeout' | 'bad-response'>> = {
  UND_ERR_CONNECT_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_TIMEOUT: 'timeout',
  UND_ERR_BODY_TIMEOUT: 'timeout',
  UND_ERR_HEADERS_OVERFLOW: 'bad-response',
  UND_ERR_RES_CONTENT_LENGTH_MISMATCH: 'bad-response',
  UND_ERR_INVALID_ARG: 'bad-response',
}

function certificateFailure(code: string): 'certificate' | undefined {
  return /CERT|ERR_TLS|UNABLE_TO_|SELF_SIGNED|ERR_SSL/.test(code) ? 'certificate' : undefined
}
