/** The text of an event that is hashed and signed, in every room version. */
import { canonicalJson, isCanonicalValue } from '../json/canonical.ts'
import { sortByCodePoint } from '../json/order.ts'
import { isObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import type { RoomRules } from '../room-version/rules.ts'

/** The loose writer recurses. Only events of the oldest room versions with fractions in them reach it at all. */
const LOOSE_DEPTH_MAX = 500

/**
 * The canonical text, undefined if the room version does not allow the value. Room versions 1 to 5 hold events with
 * fractions: <https://spec.matrix.org/v1.19/rooms/v1/#canonical-json>
 */
export function eventText(event: JsonObject, rules: RoomRules): string | undefined {
  if (rules.strictCanonicalJson) return isCanonicalValue(event) ? canonicalJson(event) : undefined
  return looseCanonicalText(event)
}

/** Canonical JSON, with fractions where there are some. undefined for what not even the oldest room versions could write. */
export function looseCanonicalText(value: JsonValue): string | undefined {
  return isCanonicalValue(value) ? canonicalJson(value) : looseText(value, 0)
}

function looseText(value: JsonValue, depth: number): string | undefined {
  if (depth > LOOSE_DEPTH_MAX) return undefined
  if (typeof value === 'number') return looseNumber(value)
  if (typeof value === 'string') return value.isWellFormed() ? JSON.stringify(value) : undefined
  if (typeof value === 'boolean' || value === null) return String(value)
  const parts = isObject(value) ? looseMembers(value, depth) : value.map((item) => looseText(item, depth + 1))
  if (parts.includes(undefined)) return undefined
  return isObject(value) ? `{${parts.join(',')}}` : `[${parts.join(',')}]`
}

function looseMembers(object: JsonObject, depth: number): (string | undefined)[] {
  return sortByCodePoint(Object.keys(object)).map((key) => {
    const member = looseText(object[key]!, depth + 1)
    return member === undefined || !key.isWellFormed() ? undefined : `${JSON.stringify(key)}:${member}`
  })
}

/**
 * A number as the servers of that time wrote it, whose text was signed: the shortest digits that give the double again, with
 * an exponent of two digits below 1e-4 and from 1e16. Which integers were written as `1.0` is lost in parsing, and so are the
 * digits of those beyond 2^53; such an event fails its signature check.
 */
function looseNumber(value: number): string | undefined {
  if (!Number.isFinite(value)) return undefined
  if (Object.is(value, -0)) return '-0.0'
  if (Number.isInteger(value)) return String(BigInt(value))
  const magnitude = Math.abs(value)
  if (magnitude >= 1e-4) return String(value)
  return value.toExponential().replace(/e-(\d)$/, 'e-0$1')
}
