/** The refusals that the HTTP server answers itself, in Matrix's form. */
import type { HttpResponse } from './service.ts'

function refusal(status: number, errcode: string, error: string): HttpResponse {
  return { status, body: JSON.stringify({ errcode, error }), meta: { errcode } }
}

export const BAD_TARGET = refusal(400, 'M_UNRECOGNIZED', 'The request target must be a path.')
export const NO_HOST = refusal(400, 'M_UNKNOWN', 'An HTTP/1.1 request needs a Host header.')
export const BAD_VERSION = refusal(505, 'M_UNKNOWN', 'This server speaks HTTP/1.1.')
export const ENCODED_BODY = refusal(415, 'M_UNKNOWN', 'Send the body without a Content-Encoding.')
export const INTERNAL_ERROR = refusal(500, 'M_UNKNOWN', 'Internal server error.')
export const SLOW_BODY = refusal(408, 'M_UNKNOWN', 'The request body came too slowly.')

export function bodyTooLarge(limitBytes: number): HttpResponse {
  return refusal(413, 'M_TOO_LARGE', `The request body must not be larger than ${limitBytes} bytes.`)
}

/** Bytes that are not HTTP, or too slow or too long a head, get a whole response of their own: there is no request yet. */
export function responseToBrokenRequest(code: string | undefined): string {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return raw('431 Request Header Fields Too Large', 'M_TOO_LARGE', 'The request head is too large.')
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return raw('408 Request Timeout', 'M_UNKNOWN', 'The request head came too slowly.')
    default:
      return raw('400 Bad Request', 'M_UNKNOWN', 'This is not a valid HTTP/1.1 request.')
  }
}

function raw(status: string, errcode: string, error: string): string {
  const body = JSON.stringify({ errcode, error })
  const head = ['Content-Type: application/json', `Content-Length: ${body.length}`, 'Connection: close']
  return `HTTP/1.1 ${status}\r\n${head.join('\r\n')}\r\n\r\n${body}`
}
