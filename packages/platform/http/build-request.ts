/** Request records without a socket: for calls between services of one process, and for tests. */
import type { HttpRequest } from './service.ts'

export type RequestParts = {
  readonly id: string
  readonly method: string
  readonly target: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: string | Uint8Array
  readonly remoteAddress?: string
  readonly signal?: AbortSignal
}

const NEVER = new AbortController().signal
const NO_BODY = new Uint8Array(0)

export function buildRequest(parts: RequestParts): HttpRequest {
  const mark = parts.target.indexOf('?')
  return {
    id: parts.id,
    method: parts.method,
    target: parts.target,
    path: mark === -1 ? parts.target : parts.target.slice(0, mark),
    query: mark === -1 ? '' : parts.target.slice(mark + 1),
    headers: lowerCased(parts.headers ?? {}),
    body: typeof parts.body === 'string' ? Buffer.from(parts.body, 'utf8') : (parts.body ?? NO_BODY),
    remoteAddress: parts.remoteAddress ?? '127.0.0.1',
    signal: parts.signal ?? NEVER,
  }
}

function lowerCased(headers: Readonly<Record<string, string>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name.toLowerCase(), value]))
}
