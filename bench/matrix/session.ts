/** A logged-in user: authenticated calls that fail on anything but 2xx. */

import type { HttpClient } from '../http/client.ts'
import type { ParsedResponse } from '../http/response-parser.ts'

export type Session = { readonly client: HttpClient; readonly userId: string; readonly accessToken: string }

export class RequestFailed extends Error {
  readonly status: number
  readonly body: string

  constructor(what: string, response: ParsedResponse) {
    const body = response.body.toString('utf8', 0, 500)
    super(`${what} was answered with ${response.status}: ${body}`)
    this.status = response.status
    this.body = body
  }
}

type Method = 'GET' | 'POST' | 'PUT'

/** The raw response to an authenticated call; `body` is JSON text. */
export async function callRaw(session: Session, method: Method, target: string, body?: string): Promise<Buffer> {
  const { client, accessToken } = session
  const response = await client.request({ method, target, accessToken, ...(body === undefined ? {} : { body }) })
  if (response.status < 200 || response.status > 299) throw new RequestFailed(`${method} ${target}`, response)
  return response.body
}

export async function call<Answer>(session: Session, method: Method, target: string, body?: object): Promise<Answer> {
  const answer = await callRaw(session, method, target, body === undefined ? undefined : JSON.stringify(body))
  return JSON.parse(answer.toString('utf8')) as Answer
}
