/** The text of an event that is hashed and signed, in every room version. */
import { canonicalJson, isCanonicalValue } from '../json/canonical.ts'
import { sortByCodePoint } from '../json/order.ts'
import type { JsonArray, JsonObject, JsonValue } from '../json/value.ts'
import type { RoomRules } from '../room-version/rules.ts'
import { markedNumber } from './exact-json.ts'

/**
 * The canonical text, undefined if the room version does not allow the value. Room versions 1 to 5 hold events with
 * fractions: <https://spec.matrix.org/v1.19/rooms/v1/#canonical-json>
 */
export function eventText(event: JsonObject, rules: RoomRules): string | undefined {
  if (rules.strictCanonicalJson) return isCanonicalValue(event) ? canonicalJson(event) : undefined
  return looseCanonicalText(event)
}

/**
 * Canonical JSON, with fractions where there are some, and with every number as it was spelt if the value is one of
 * `parseExactly`. undefined for what not even the oldest room versions could write.
 */
export function looseCanonicalText(value: JsonValue): string | undefined {
  return isCanonicalValue(value) ? canonicalJson(value) : looseText(value)
}

/** A container whose members are being written. */
type Frame = {
  readonly container: JsonObject | JsonArray
  /** In canonical order; undefined for an array. */
  readonly keys: readonly string[] | undefined
  next: number
}

/** With a stack of its own: an event may be as deep as it likes. */
function looseText(root: JsonValue): string | undefined {
  const stack: Frame[] = [frameOf([root])]
  let text = ''
  for (let frame = stack.at(-1); frame !== undefined; frame = stack.at(-1)) {
    const { container, keys } = frame
    const index = frame.next
    frame.next += 1
    if (index >= (keys ?? (container as JsonArray)).length) {
      text += keys === undefined ? ']' : '}'
      stack.pop()
      continue
    }
    if (index > 0) text += ','
    const key = keys?.[index]
    if (key !== undefined && !key.isWellFormed()) return undefined
    if (key !== undefined) text += `${JSON.stringify(key)}:`
    const member = key === undefined ? (container as JsonArray)[index]! : (container as JsonObject)[key]!
    if (typeof member === 'object' && member !== null) {
      stack.push(frameOf(member))
      text += Array.isArray(member) ? '[' : '{'
      continue
    }
    const scalar = looseScalar(member)
    if (scalar === undefined) return undefined
    text += scalar
  }
  // The root was written as the only item of a list that was not opened.
  return text.slice(0, -1)
}

function frameOf(container: JsonObject | JsonArray): Frame {
  const keys = Array.isArray(container) ? undefined : sortByCodePoint(Object.keys(container))
  return { container, keys, next: 0 }
}

function looseScalar(value: string | number | boolean | null): string | undefined {
  if (typeof value === 'number') return looseNumber(value)
  if (typeof value !== 'string') return String(value)
  return value.isWellFormed() ? JSON.stringify(value) : markedNumber(value)
}

/**
 * A number as the servers of that time wrote it, whose text was signed: the shortest digits that give the double again, with
 * an exponent of two digits below 1e-4. Which integers were written as `1.0` is lost in parsing, and so are the digits of those
 * beyond 2^53: `parseExactly` keeps them.
 */
function looseNumber(value: number): string | undefined {
  if (!Number.isFinite(value)) return undefined
  if (Object.is(value, -0)) return '-0.0'
  if (Number.isInteger(value)) return String(BigInt(value))
  const magnitude = Math.abs(value)
  if (magnitude >= 1e-4) return String(value)
  return value.toExponential().replace(/e-(\d)$/, 'e-0$1')
}
