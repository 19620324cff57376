/** One request and its response on a socket: record, body, answer, log line. */
import type { IncomingMessage, ServerResponse } from 'node:http'
import { clientAddress } from './client-address.ts'
import { BAD_TARGET, BAD_VERSION, bodyTooLarge, ENCODED_BODY, INTERNAL_ERROR, NO_HOST, SLOW_BODY } from './errors.ts'
import { loggableTarget } from './loggable-target.ts'
import { preflightResponse, responseHead } from './response-head.ts'
import type { ServerContext } from './server-context.ts'
import type { HttpRequest, HttpResponse, ResponseMeta } from './service.ts'

const NO_BODY = new Uint8Array(0)
const NO_META: ResponseMeta = {}

/** Why a request's signal aborted. */
export class RequestAborted extends Error {
  constructor(cause: 'the client went away' | 'the server stops') {
    super(cause)
    this.name = 'RequestAborted'
  }
}

export class Exchange implements HttpRequest {
  readonly id: string
  readonly method: string
  readonly target: string
  readonly path: string
  readonly query: string
  readonly remoteAddress: string
  body: Uint8Array = NO_BODY
  readonly #context: ServerContext
  readonly #incoming: IncomingMessage
  readonly #outgoing: ServerResponse
  readonly #startedMs: number
  #controller: AbortController | undefined
  #abortedBy: RequestAborted | undefined
  #chunks: Buffer[] = []
  #received = 0
  #limit = 0
  #settled = false
  #meta = NO_META
  #sentBytes = 0

  constructor(context: ServerContext, incoming: IncomingMessage, outgoing: ServerResponse) {
    this.#context = context
    this.#incoming = incoming
    this.#outgoing = outgoing
    this.#startedMs = context.clock.monotonicMs()
    this.id = context.nextRequestId()
    const method = incoming.method!
    this.method = method === 'HEAD' ? 'GET' : method
    this.target = originForm(incoming.url!)
    const mark = this.target.indexOf('?')
    this.path = mark === -1 ? this.target : this.target.slice(0, mark)
    this.query = mark === -1 ? '' : this.target.slice(mark + 1)
    // Read now: the log line of a client that went away still says who it was.
    const forwarded = incoming.headers['x-forwarded-for'] as string | undefined
    this.remoteAddress = clientAddress(incoming.socket.remoteAddress ?? '', forwarded, context.trustedProxies)
  }

  get headers(): HttpRequest['headers'] {
    // Only set-cookie would be a list, and that is no request header.
    return this.#incoming.headers as HttpRequest['headers']
  }

  /** Made when somebody asks for it: most requests are answered before they could be aborted. */
  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController()
      if (this.#abortedBy !== undefined) this.#controller.abort(this.#abortedBy)
    }
    return this.#controller.signal
  }

  get socket(): IncomingMessage['socket'] {
    return this.#incoming.socket
  }

  /** From the parsed head to the running handler. */
  start(expectsContinue: boolean): void {
    this.#outgoing.on('close', () => this.#finish())
    const { headers, httpVersion } = this.#incoming
    if (httpVersion !== '1.1' && httpVersion !== '1.0') return this.#refuse(BAD_VERSION)
    if (headers.host === undefined && httpVersion === '1.1') return this.#refuse(NO_HOST)
    if (this.method === 'OPTIONS') return this.#answer(preflightResponse())
    if (!this.path.startsWith('/')) return this.#refuse(BAD_TARGET)
    const length = headers['content-length']
    const hasBody = headers['transfer-encoding'] !== undefined || (length !== undefined && length !== '0')
    if (!hasBody) return this.#takeIn()
    const encoding = headers['content-encoding']
    if (encoding !== undefined && encoding !== 'identity') return this.#refuse(ENCODED_BODY)
    this.#limit = this.#context.bodyLimit(this.method, this.path)
    if (length !== undefined && Number(length) > this.#limit) return this.#refuse(bodyTooLarge(this.#limit))
    if (expectsContinue) this.#outgoing.writeContinue()
    this.#readBody()
  }

  /** Ends long polls and other waits; a handler that is at work goes on. */
  abort(reason: RequestAborted): void {
    this.#abortedBy ??= reason
    this.#controller?.abort(this.#abortedBy)
  }

  /** Called now and then while the body is read. */
  checkBodySpeed(): void {
    const { bodyMs, bodyBytesPerSecondMin } = this.#context.limits
    const allowedMs = bodyMs + (this.#received / bodyBytesPerSecondMin) * 1000
    if (this.#context.clock.monotonicMs() - this.#startedMs > allowedMs) this.#refuse(SLOW_BODY)
  }

  #readBody(): void {
    this.#context.reading.add(this)
    this.#context.sweep()
    this.#incoming.on('data', (chunk: Buffer) => {
      if (this.#settled) return
      this.#received += chunk.length
      if (this.#received > this.#limit) this.#refuse(bodyTooLarge(this.#limit))
      else this.#chunks.push(chunk)
    })
    this.#incoming.on('end', () => {
      if (this.#settled) return
      this.#context.reading.delete(this)
      this.body = this.#chunks.length === 1 ? this.#chunks[0]! : Buffer.concat(this.#chunks, this.#received)
      this.#chunks = []
      this.#takeIn()
    })
  }

  #takeIn(): void {
    this.#context.takeIn(() => this.#handle())
  }

  #handle(): void {
    // A handler that throws before its first await must end like one that throws after it.
    try {
      this.#context.handle(this).then(
        (response) => this.#answer(response),
        (error: unknown) => this.#fail(error),
      )
    } catch (error) {
      this.#fail(error)
    }
  }

  #fail(error: unknown): void {
    // Who waits on the signal of a client that went away fails with its reason: that is no fault of ours.
    if (this.#abortedBy !== undefined && error === this.#abortedBy && this.#outgoing.destroyed) return
    this.#context.log.error({ id: this.id, method: this.method, path: this.#loggable(), err: error }, 'request failed')
    this.#answer({ ...INTERNAL_ERROR, headers: { 'x-request-id': this.id } })
  }

  #answer(response: HttpResponse): void {
    if (this.#settled) return
    this.#settled = true
    this.#meta = response.meta ?? NO_META
    if (this.#outgoing.destroyed) return
    const body = this.#context.encode(response, this.#incoming)
    if (body instanceof Promise) {
      body.then(
        (encoded) => this.#write(encoded),
        (error: unknown) => this.#giveUp(error),
      )
    } else this.#write(body)
  }

  #write(response: HttpResponse): void {
    try {
      const bodyless = response.status === 204 || response.status === 304
      const body = bodyless ? undefined : (response.body ?? '')
      const length = body === undefined ? undefined : typeof body === 'string' ? Buffer.byteLength(body) : body.length
      const head = responseHead(response, length, this.#context.cors(this.path))
      if (this.#context.draining) this.#announceEnd(head)
      this.#outgoing.writeHead(response.status, head)
      this.#sentBytes = length ?? 0
      if (body === undefined || body.length === 0) this.#outgoing.end()
      else this.#outgoing.end(body)
      this.#watchStall()
    } catch (error) {
      this.#giveUp(error)
    }
  }

  /** What the system took at once needs no watch, and that is nearly every response. */
  #watchStall(): void {
    const { socket } = this.#outgoing
    if (socket === null || socket.writableLength === 0) return
    const giveUp = () => socket.destroy()
    socket.setTimeout(this.#context.limits.writeStallMs, giveUp)
    this.#outgoing.on('close', () => {
      socket.off('timeout', giveUp)
      socket.setTimeout(0)
    })
  }

  /** A response that cannot be written (a header with a line break in it) must not go out in part. */
  #giveUp(error: unknown): void {
    this.#context.log.error({ id: this.id, path: this.#loggable(), err: error }, 'response could not be written')
    if (this.#outgoing.headersSent) this.#outgoing.destroy()
    else this.#write({ ...INTERNAL_ERROR, headers: { 'x-request-id': this.id } })
  }

  /**
   * Answers before the body was read. The connection ends, because what follows on it is body, not a request; but not
   * at once: a socket closed on unread bytes is reset, and the client would never see the answer.
   */
  #refuse(response: HttpResponse): void {
    this.#settled = true
    this.#chunks = []
    this.#context.reading.delete(this)
    this.#meta = response.meta ?? NO_META
    const body = response.body as string
    const head = responseHead(response, Buffer.byteLength(body), this.#context.cors(this.path))
    this.#announceEnd(head)
    this.#outgoing.writeHead(response.status, head)
    this.#outgoing.write(body)
    const linger = this.#context.clock.after(this.#context.limits.lingerMs, () => this.#outgoing.end())
    this.#incoming.on('end', () => {
      linger[Symbol.dispose]()
      this.#outgoing.end()
    })
    this.#incoming.resume()
  }

  /** RFC 9112 9.6: after "close" a server must not process further requests of the connection. */
  #announceEnd(head: string[]): void {
    head.push('Connection', 'close')
    this.#context.ending.add(this.socket)
  }

  /** The response is out, or the client is gone. */
  #finish(): void {
    if (!this.#outgoing.writableFinished) this.abort(new RequestAborted('the client went away'))
    this.#context.reading.delete(this)
    this.#chunks = []
    const status = this.#outgoing.headersSent ? this.#outgoing.statusCode : 499
    const ms = this.#context.clock.monotonicMs() - this.#startedMs
    this.#context.finished(this, { status, ms, meta: this.#meta })
    if (!this.#context.logRequests) return
    this.#context.log.info(
      {
        id: this.id,
        method: this.#incoming.method,
        path: this.#loggable(),
        status,
        ms: Math.round(ms * 100) / 100,
        bytes: this.#sentBytes,
        requester: this.#meta.requester,
        operation: this.#meta.operation,
        errcode: this.#meta.errcode,
        address: this.remoteAddress,
      },
      'request',
    )
  }

  #loggable(): string {
    return loggableTarget(this.path, this.query)
  }
}

/** RFC 9112 3.2.2: servers accept the absolute form, too. */
function originForm(target: string): string {
  if (target.charCodeAt(0) === 47) return target
  const absolute = /^https?:\/\/[^/?#]*(.*)$/i.exec(target)
  if (absolute === null) return target
  return absolute[1]!.startsWith('/') ? absolute[1]! : `/${absolute[1]}`
}
