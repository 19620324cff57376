/** Response headers as the flat list that node:http writes fastest. */
import type { HttpResponse } from './service.ts'

/** "The recommended CORS headers to be returned by servers on all requests": client-server-api/#web-browser-clients */
const CORS = [
  'Access-Control-Allow-Origin',
  '*',
  'Access-Control-Allow-Methods',
  'GET, HEAD, POST, PUT, DELETE, OPTIONS',
  'Access-Control-Allow-Headers',
  'X-Requested-With, Content-Type, Authorization',
  'Access-Control-Expose-Headers',
  'Retry-After',
]
const EVERY_RESPONSE = ['X-Content-Type-Options', 'nosniff']

/** Browsers ask once a day, not before each request. */
const PREFLIGHT: HttpResponse = {
  status: 204,
  headers: { 'access-control-max-age': '86400' },
  meta: { operation: 'preflight' },
}

export function preflightResponse(): HttpResponse {
  return PREFLIGHT
}

/** @param contentLength left out for statuses without a body */
export function responseHead(response: HttpResponse, contentLength: number | undefined, cors: boolean): string[] {
  const head = cors ? [...EVERY_RESPONSE, ...CORS] : [...EVERY_RESPONSE]
  let typed = false
  if (response.headers !== undefined) {
    for (const name in response.headers) {
      typed ||= name.length === 12 && name.toLowerCase() === 'content-type'
      head.push(name, response.headers[name]!)
    }
  }
  if (!typed && response.body !== undefined) head.push('Content-Type', 'application/json')
  if (contentLength !== undefined) head.push('Content-Length', String(contentLength))
  return head
}
