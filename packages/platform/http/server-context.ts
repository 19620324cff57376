/** What all exchanges of one server share. */
import type { IncomingMessage } from 'node:http'
import type { Socket } from 'node:net'
import type { Clock } from '../clock/clock.ts'
import type { Log } from '../log/log.ts'
import type { AddressRanges } from './address-ranges.ts'
import type { Exchange } from './exchange.ts'
import type { HttpLimits } from './limits.ts'
import type { HttpRequest, HttpResponse, ResponseMeta } from './service.ts'

/** What became of a request, for the metrics. */
export type Outcome = { readonly status: number; readonly ms: number; readonly meta: ResponseMeta }

export type ServerContext = {
  readonly clock: Clock
  readonly log: Log
  readonly logRequests: boolean
  readonly limits: HttpLimits
  readonly trustedProxies: AddressRanges
  readonly reading: Set<Exchange>
  readonly draining: boolean
  /** Connections whose last response is on its way. */
  readonly ending: WeakSet<Socket>
  bodyLimit(method: string, path: string): number
  cors(path: string): boolean
  /** Begins at once, or in a later turn of the event loop when this one has begun enough. */
  takeIn(begin: () => void): void
  handle(request: HttpRequest): Promise<HttpResponse>
  /** The response as it goes out: compressed if that is wanted. */
  encode(response: HttpResponse, incoming: IncomingMessage): HttpResponse | Promise<HttpResponse>
  finished(exchange: Exchange, outcome: Outcome): void
  nextRequestId(): string
  /** Makes sure that slow bodies are looked at while any is being read. */
  sweep(): void
}
