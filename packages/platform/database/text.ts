/** A reversible form of any JavaScript string that both engines store unchanged; the identity for nearly all strings. */

// PostgreSQL refuses U+0000 in text, and a lone surrogate has no UTF-8 form in either engine. Both are written as this
// noncharacter followed by the four hex digits of the code unit; the noncharacter itself is written the same way.
const ESCAPE = '\uFDD0'
const UNSTORABLE = /[\0\uFDD0]|[\uD800-\uDBFF](?![\uDC00-\uDFFF])|(?<![\uD800-\uDBFF])[\uDC00-\uDFFF]/g
const ESCAPED = /\uFDD0([0-9a-f]{4})/g

/** What stands in the database for `value`. Equal values have equal stored forms, different ones different forms. */
export function storedText(value: string): string {
  if (!value.includes('\0') && !value.includes(ESCAPE) && value.isWellFormed()) return value
  return value.replace(UNSTORABLE, (unit) => ESCAPE + unit.charCodeAt(0).toString(16).padStart(4, '0'))
}

/** The inverse of `storedText`. */
export function originalText(stored: string): string {
  if (!stored.includes(ESCAPE)) return stored
  return stored.replace(ESCAPED, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
}
