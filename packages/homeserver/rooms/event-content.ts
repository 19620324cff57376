/** Contents of events that clients send. */
import { matrixError } from '@holdfast/protocol/errors'
import { isCanonicalValue } from '@holdfast/protocol/json/canonical'
import type { JsonObject } from '@holdfast/protocol/json/value'

/**
 * Events hold integers between -(2^53)+1 and (2^53)-1 and no other numbers, so that every server reads and hashes them alike.
 * @throws {MatrixError} M_BAD_JSON
 */
export function assertEventContent(content: JsonObject): JsonObject {
  if (isCanonicalValue(content)) return content
  throw matrixError('M_BAD_JSON', 'Numbers in events must be integers between -(2^53)+1 and (2^53)-1.')
}
