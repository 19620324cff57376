/** A pool of keep-alive connections to one server: as many sockets as there are requests in flight. */

import { Connection, type Endpoint } from './connection.ts'
import type { ParsedResponse } from './response-parser.ts'

export type Call = {
  readonly method: 'GET' | 'POST' | 'PUT'
  /** Path and query, already percent-encoded. */
  readonly target: string
  readonly accessToken?: string
  /** JSON text. */
  readonly body?: string
}

// Node's HTTP server closes connections that are idle for five seconds; we never race it.
const IDLE_MS_MAX = 2_000

export class HttpClient {
  readonly endpoint: Endpoint
  readonly #hostHeader: string
  readonly #idle: Connection[] = []

  constructor(url: URL) {
    if (url.protocol !== 'http:') throw new Error('only http:// base URLs can be measured')
    this.endpoint = { host: url.hostname.replaceAll(/^\[|\]$/g, ''), port: Number(url.port || 80) }
    this.#hostHeader = url.host
  }

  async request(call: Call): Promise<ParsedResponse> {
    const connection = this.#take()
    const response = await connection.send(requestText(this.#hostHeader, call))
    if (connection.usable) this.#idle.push(connection)
    return response
  }

  close(): void {
    for (const connection of this.#idle.splice(0)) connection.close()
  }

  #take(): Connection {
    const oldest = performance.now() - IDLE_MS_MAX
    for (;;) {
      // The last one used comes first, so that surplus connections age and go.
      const connection = this.#idle.pop()
      if (connection === undefined) return new Connection(this.endpoint)
      if (connection.usable && connection.lastUsedMs >= oldest) return connection
      connection.close()
    }
  }
}

export function requestText(host: string, call: Call): string {
  const token = call.accessToken === undefined ? '' : `Authorization: Bearer ${call.accessToken}\r\n`
  const head = `${call.method} ${call.target} HTTP/1.1\r\nHost: ${host}\r\n${token}`
  if (call.body === undefined) return `${head}\r\n`
  return `${head}Content-Type: application/json\r\nContent-Length: ${Buffer.byteLength(call.body)}\r\n\r\n${call.body}`
}
