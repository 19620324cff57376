/** JSON that was checked before it was stored. */
import { parseJson } from '@holdfast/protocol/json/parse'
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'

export function storedJson(text: string): JsonValue {
  const parsed = parseJson(text, { depthMax: Number.POSITIVE_INFINITY })
  if (!parsed.ok) throw new Error(`broken JSON in the database: ${parsed.message}`)
  return parsed.value
}

export function storedObject(text: string): JsonObject {
  const value = storedJson(text)
  if (!isObject(value)) throw new Error('JSON in the database is not an object')
  return value
}
