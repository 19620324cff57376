/** Clients send the token of the page before, which is null where there was none. */
import type { HttpRequest } from '@holdfast/platform/http/service'
import { parseJson } from '@holdfast/protocol/json/parse'
import { isObject } from '@holdfast/protocol/json/value'

/** The request with an empty token for null. */
export function withoutNullToken(request: HttpRequest): HttpRequest {
  const parsed = parseJson(request.body)
  if (!parsed.ok || !isObject(parsed.value) || parsed.value['since'] !== null) return request
  // One by one: a request makes some of its members when they are asked for, and a spread would not have them.
  const { id, method, target, path, query, headers, remoteAddress, signal } = request
  const body = Buffer.from(JSON.stringify({ ...parsed.value, since: '' }))
  return { id, method, target, path, query, headers, body, remoteAddress, signal }
}
