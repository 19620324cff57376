/** What another server answered: JSON, or an error in bounded words. */
import { parseRetryAfterMs } from '@holdfast/platform/http/http-date'
import type { Clock } from '@holdfast/platform/clock/clock'
import { OutgoingFailed, type OutgoingResponse } from '@holdfast/platform/http/client'
import { parseJson } from '@holdfast/protocol/json/parse'
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import { FederationFailed } from './federation-failed.ts'
import { parseLargeJson } from './split-json.ts'

export const RESPONSE_LIMITS = {
  errorBytesMax: 65_536,
  messageCharactersMax: 300,
  errcodeCharactersMax: 100,
} as const

/**
 * The JSON of a 200, whatever its type is said to be.
 * @throws {FederationFailed} another status
 * @throws {OutgoingFailed} not the HTTP or JSON that a Matrix server speaks
 */
export async function readResponse(response: OutgoingResponse, clock: Clock): Promise<JsonValue> {
  if (response.status === 200) {
    const parsed = await parseLargeJson(response.body, clock)
    if (parsed.ok) return parsed.value
    throw new OutgoingFailed(
      'bad-response',
      `the answer is not JSON: ${parsed.message.slice(0, RESPONSE_LIMITS.messageCharactersMax)}`,
    )
  }
  if (response.status < 400)
    throw new OutgoingFailed('bad-response', `answered ${response.status}, which is no answer to this`)
  throw remoteError(response, clock.nowMs())
}

function remoteError({ status, headers, body }: OutgoingResponse, nowMs: number): FederationFailed {
  const error = errorObject(body)
  const given = error?.['errcode']
  const errcode = typeof given === 'string' && isErrcode(given) ? given : undefined
  const said = error?.['error']
  const words = typeof said === 'string' ? `: ${plain(said)}` : ''
  const retryAfterMs = retryAfter(error, headers['retry-after'], nowMs)
  const message = `answered ${status}${errcode === undefined ? '' : ` ${errcode}`}${words}`
  return new FederationFailed('matrix-error', message, { status, errcode, retryAfterMs, body: error })
}

/** The error page of a proxy is none. */
function errorObject(body: Uint8Array): JsonObject | undefined {
  if (body.length > RESPONSE_LIMITS.errorBytesMax) return undefined
  const parsed = parseJson(body)
  return parsed.ok && isObject(parsed.value) ? parsed.value : undefined
}

function isErrcode(text: string): boolean {
  return text.length <= RESPONSE_LIMITS.errcodeCharactersMax && /^[A-Za-z0-9_.-]+$/.test(text)
}

/** Words of others go into logs and to users: without control characters, and not many of them. */
function plain(text: string): string {
  return text.slice(0, RESPONSE_LIMITS.messageCharactersMax).replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]+/gu, ' ')
}

function retryAfter(error: JsonObject | undefined, header: string | undefined, nowMs: number): number | undefined {
  const given = error?.['retry_after_ms']
  if (typeof given === 'number' && Number.isSafeInteger(given) && given >= 0) return given
  return header === undefined ? undefined : parseRetryAfterMs(header, nowMs)
}
