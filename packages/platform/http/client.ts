/** The one seam to the outside (docs/ARCHITECTURE.md 7): everything that leaves the process goes through `send`. */

export type OutgoingRequest = {
  readonly method: string
  /** Absolute, `https://` or `http://`. The path goes out exactly as it stands here. */
  readonly url: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  /** From the call to the last byte of the response. The other side may think as long. */
  readonly deadlineMs: number
  /** A longer response is a failure, noticed as it comes in. */
  readonly responseBytesMax: number
  readonly signal?: AbortSignal
  /** Connect here, while name, certificate and Host header stay those of the URL (server discovery through SRV). */
  readonly connectTo?: { readonly host: string; readonly port: number }
}

export type OutgoingResponse = {
  readonly status: number
  /** Names in lower case, repeated headers joined by commas. */
  readonly headers: Readonly<Record<string, string | undefined>>
  readonly body: Uint8Array
}

/** Redirects are answers like any other: who follows one sends a new request, and every guard looks again. */
export type HttpClient = {
  /** @throws {OutgoingFailed} there was no response */
  send(request: OutgoingRequest): Promise<OutgoingResponse>
  [Symbol.asyncDispose](): Promise<void>
}

export type OutgoingFailure =
  | 'bad-url'
  | 'address-not-allowed'
  | 'unreachable'
  | 'certificate'
  | 'timeout'
  | 'too-large'
  | 'bad-response'
  | 'aborted'

export class OutgoingFailed extends Error {
  readonly failure: OutgoingFailure
  /** False: not a byte of the request left, so that it can be sent to another address whatever it asks for. */
  readonly maybeSent: boolean
  constructor(
    failure: OutgoingFailure,
    message: string,
    options: ErrorOptions & { readonly maybeSent?: boolean } = {},
  ) {
    super(message, options)
    this.name = 'OutgoingFailed'
    this.failure = failure
    this.maybeSent = options.maybeSent ?? true
  }
}

export type OutgoingTarget = {
  readonly origin: string
  /** An IPv6 address without its brackets. */
  readonly hostname: string
  readonly port: number
  readonly path: string
}

/**
 * Splits by hand: `URL` would rewrite the path, and a signature over it would no longer hold.
 * @throws {OutgoingFailed} not a URL that we send to
 */
export function outgoingTarget(url: string): OutgoingTarget {
  const match = /^(https?:\/\/[^/?#\\\s@]+)(\/[^#\s]*|\?[^#\s]*)?$/i.exec(url)
  if (match === null || !URL.canParse(match[1]!))
    throw new OutgoingFailed('bad-url', 'not an http or https URL', { maybeSent: false })
  const { origin, protocol, hostname, port } = new URL(match[1]!)
  const path = match[2] ?? '/'
  return {
    origin,
    hostname: hostname.startsWith('[') ? hostname.slice(1, -1) : hostname,
    port: Number(port) || (protocol === 'https:' ? 443 : 80),
    path: path.startsWith('/') ? path : `/${path}`,
  }
}
