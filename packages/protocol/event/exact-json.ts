/**
 * JSON whose numbers keep the spelling that was signed. A parsed `1.0` is a 1, and of 2^53 + 1 a digit is lost; but the hash and
 * the signatures of an event cover the text. <https://spec.matrix.org/v1.19/rooms/v1/#canonical-json>
 */
import { withoutPrototypes } from '../json/bare.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import type { RoomRules } from '../room-version/rules.ts'

// No string of a text that the strict parser accepted has half of a surrogate pair, so what begins with one is no string of it.
const MARK_ESCAPE = String.raw`\ud800`
const MARKED = /^\ud800(-?\d[\d.e+-]*)$/
const NUMBER = /[-+.eE\d]+/y
const FLOAT = /[.eE]/

/** Where the integers end that are written without an exponent, and where small fractions begin to be written with one. */
const EXPONENT_FROM = 1e16
const EXPONENT_BELOW = 1e-4

/**
 * A text that `parseJson` accepted, parsed so that `looseCanonicalText` gives what was signed: every number which canonical JSON
 * cannot say, or not in this way, is a marked string. Needed only where `parseJson` answers `canonicalNumbers: false`, and for
 * hashing and signing only: whoever wants the numbers takes what `parseJson` gave.
 */
export function parseExactly(text: string): JsonValue {
  const parsed = JSON.parse(withMarkedNumbers(text)) as JsonValue
  return withoutPrototypes(parsed, Infinity).value
}

/** An event from its own text, to be hashed, signed or redacted; for its values parse it as any other text. */
export function exactEvent(json: string, rules: RoomRules): JsonObject {
  return (rules.strictCanonicalJson ? JSON.parse(json) : parseExactly(json)) as JsonObject
}

/** The text of a marked number; undefined for any other string. */
export function markedNumber(value: string): string | undefined {
  return MARKED.exec(value)?.[1]
}

function withMarkedNumbers(text: string): string {
  const pieces: string[] = []
  let copied = 0
  let index = 0
  while (index < text.length) {
    const unit = text.charCodeAt(index)
    if (unit === 0x22) index = endOfString(text, index)
    else if (unit === 0x2d || (unit >= 0x30 && unit <= 0x39)) {
      const end = endOfNumber(text, index)
      const literal = text.slice(index, end)
      if (!isCanonicalInteger(literal)) {
        pieces.push(text.slice(copied, index), `"${MARK_ESCAPE}${writtenNumber(literal)}"`)
        copied = end
      }
      index = end
    } else index += 1
  }
  return pieces.length === 0 ? text : pieces.join('') + text.slice(copied)
}

/** Of the closing quote that no odd number of backslashes precedes, the index behind it. */
function endOfString(text: string, start: number): number {
  let end = text.indexOf('"', start + 1)
  while (end !== -1) {
    let backslashes = 0
    while (text.charCodeAt(end - 1 - backslashes) === 0x5c) backslashes += 1
    if (backslashes % 2 === 0) return end + 1
    end = text.indexOf('"', end + 1)
  }
  return text.length
}

function endOfNumber(text: string, start: number): number {
  NUMBER.lastIndex = start
  NUMBER.test(text)
  return NUMBER.lastIndex
}

function isCanonicalInteger(literal: string): boolean {
  return !FLOAT.test(literal) && literal !== '-0' && Number.isSafeInteger(Number(literal))
}

/**
 * As the servers of those room versions write it into what they hash, which is how they send it: integers with all their digits,
 * fractions with the shortest digits that give the double again, `.0` if it is whole, an exponent below 1e-4 and from 1e16.
 */
function writtenNumber(literal: string): string {
  if (!FLOAT.test(literal)) return literal === '-0' ? '0' : literal
  const value = Number(literal)
  if (Object.is(value, -0)) return '-0.0'
  const magnitude = Math.abs(value)
  if (magnitude !== 0 && (magnitude < EXPONENT_BELOW || magnitude >= EXPONENT_FROM)) {
    return value.toExponential().replace(/e([-+])(\d)$/, 'e$10$2')
  }
  return Number.isInteger(value) ? `${value}.0` : String(value)
}
