/** Answers of endpoints, and how they become HTTP responses. */
import type { HttpResponse } from '@holdfast/platform/http/service'
import type { MatrixError } from '@holdfast/protocol/errors'

/** JSON that is text already: spliced from stored events, never parsed again. */
export class JsonText {
  readonly text: string
  constructor(text: string) {
    this.text = text
  }
}

/** An answer with a status or headers of its own. */
export class Reply {
  readonly status: number
  readonly body: object | JsonText
  readonly headers: Readonly<Record<string, string>>
  constructor(status: number, body: object | JsonText, headers: Readonly<Record<string, string>> = {}) {
    this.status = status
    this.body = body
    this.headers = headers
  }
}

/** What a handler may answer: a JSON object (200), text that is JSON (200), or a `Reply`. */
export type Answer = object | JsonText | Reply

const JSON_HEADERS = { 'content-type': 'application/json' } as const

export function toHttpResponse(answer: Answer): HttpResponse {
  if (answer instanceof Reply) {
    return { status: answer.status, headers: { ...JSON_HEADERS, ...answer.headers }, body: bodyText(answer.body) }
  }
  return { status: 200, headers: JSON_HEADERS, body: bodyText(answer) }
}

function bodyText(body: object | JsonText): string {
  return body instanceof JsonText ? body.text : JSON.stringify(body)
}

/** The standard error response: client-server-api "Standard error response". */
export function errorResponse(error: MatrixError): HttpResponse {
  const headers: Record<string, string> = { ...JSON_HEADERS }
  const retryAfterMs = error.extra['retry_after_ms']
  if (typeof retryAfterMs === 'number') headers['retry-after'] = String(Math.ceil(retryAfterMs / 1000))
  const body = { errcode: error.errcode, error: error.message, ...error.extra }
  return { status: error.status, headers, body: JSON.stringify(body), meta: { errcode: error.errcode } }
}
