/** Reads the JSON body of a request, strictly: what two parsers could read in two ways is refused. */
import type { HttpRequest } from '@holdfast/platform/http/service'
import { matrixError } from '@holdfast/protocol/errors'
import { parseJson, type JsonParseOptions } from '@holdfast/protocol/json/parse'
import type { JsonValue } from '@holdfast/protocol/json/value'

const PROBLEM_CODES = {
  encoding: 'M_NOT_JSON',
  syntax: 'M_NOT_JSON',
  depth: 'M_BAD_JSON',
  'duplicate-key': 'M_BAD_JSON',
  'lone-surrogate': 'M_BAD_JSON',
  'number-out-of-range': 'M_BAD_JSON',
} as const

export type JsonBody = {
  readonly value: JsonValue
  /** Whether every number is spelt as canonical JSON spells it. */
  readonly canonicalNumbers: boolean
}

/**
 * undefined if there is no body.
 * @throws M_NOT_JSON, M_BAD_JSON
 */
export function jsonBody(request: Pick<HttpRequest, 'body'>, options?: JsonParseOptions): JsonBody | undefined {
  if (request.body.length === 0) return undefined
  const parsed = parseJson(request.body, options)
  if (!parsed.ok) throw matrixError(PROBLEM_CODES[parsed.problem], `The body cannot be read: ${parsed.message}`)
  return parsed
}
