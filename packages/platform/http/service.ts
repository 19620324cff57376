/** Requests and responses as plain records, so that services can be called over a socket or in-process (docs/ARCHITECTURE.md 2). */

export type HttpRequest = {
  /** Request id, in the log line and in error logs. */
  readonly id: string
  /** Upper case. */
  readonly method: string
  /** The request target exactly as received (needed for X-Matrix signatures). */
  readonly target: string
  /** The part of the target before `?`, still percent-encoded. */
  readonly path: string
  /** The part after `?`, still percent-encoded, or ''. */
  readonly query: string
  /** Header names in lower case; repeated headers joined as node:http does. */
  readonly headers: Readonly<Record<string, string | undefined>>
  /** The whole body, within the limit for this path. */
  readonly body: Uint8Array
  /** The address of the client, after trusted proxies are taken off. */
  readonly remoteAddress: string
  /** Aborts when the client goes away or the server stops. */
  readonly signal: AbortSignal
}

export type HttpResponse = {
  readonly status: number
  readonly headers?: Readonly<Record<string, string>>
  /** A string is sent as UTF-8. A JSON response without its own content-type header is sent as application/json. */
  readonly body?: string | Uint8Array
  /** What the log line and the metrics say about this request; never sent. */
  readonly meta?: ResponseMeta
}

export type ResponseMeta = {
  /** The name of the operation, such as `sendMessage`: the label of the metrics, so never anything from the path. */
  readonly operation?: string
  /** Who asked: a user, server or application service. */
  readonly requester?: string
  readonly errcode?: string
}

export type Service = {
  handle(request: HttpRequest): Promise<HttpResponse>
  start(): Promise<void>
  [Symbol.asyncDispose](): Promise<void>
}
