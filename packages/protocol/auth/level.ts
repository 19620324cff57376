/** Power level values: integers, and in older room versions the strings and fractions that pass for them. */
import { isObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import type { RoomRules } from '../room-version/rules.ts'

/**
 * Compare with `<` and `>` only: those are exact between numbers and bigints. A bigint stands for a string of digits
 * beyond 2^53, where two different levels must not become equal by rounding. Infinity is the level of creators.
 */
export type PowerLevel = number | bigint

// <https://spec.matrix.org/v1.19/rooms/v1/#mroompower_levels-events-accept-values-as-strings>
const INTEGER_STRING = /^\s*([+-]?)([0-9]+)\s*$/

/** undefined: not a level in this room version. */
export function parseLevel(rules: RoomRules, value: JsonValue | undefined): PowerLevel | undefined {
  if (typeof value === 'number') return parseNumber(rules, value)
  if (typeof value === 'string' && rules.looseLevels) return parseInteger(value)
  return undefined
}

function parseNumber(rules: RoomRules, value: number): PowerLevel | undefined {
  if (!rules.looseLevels) return Number.isSafeInteger(value) ? value : undefined
  return Number.isFinite(value) ? Math.trunc(value) : undefined
}

function parseInteger(text: string): PowerLevel | undefined {
  const match = INTEGER_STRING.exec(text)
  if (match === null) return undefined
  const number = Number(match[1] + match[2]!)
  if (Number.isSafeInteger(number)) return number
  const magnitude = BigInt(match[2]!)
  return match[1] === '-' ? -magnitude : magnitude
}

export function sameLevel(a: PowerLevel | undefined, b: PowerLevel | undefined): boolean {
  if (a === undefined || b === undefined) return a === b
  return !(a < b) && !(a > b)
}

/** The level at a key, and undefined if there is none or it is malformed. */
export function levelAt(rules: RoomRules, content: JsonObject, key: string): PowerLevel | undefined {
  return Object.hasOwn(content, key) ? parseLevel(rules, content[key]) : undefined
}

/** The object at a key, and undefined if there is none or it is something else. */
export function objectAt(content: JsonObject, key: string): JsonObject | undefined {
  const value = Object.hasOwn(content, key) ? content[key] : undefined
  return isObject(value) ? value : undefined
}
