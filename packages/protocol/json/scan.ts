/** One pass over JSON source text for what the parsed value no longer shows. It does not check the grammar. */

export type JsonScan = {
  /** Members of all objects, counted by their colons: more than the parsed value has means a key came twice. */
  members: number
  /** Every number is written as a canonical integer. <https://spec.matrix.org/v1.19/appendices/#canonical-json> */
  canonicalNumbers: boolean
  /** A number is beyond what a double can hold. */
  numberOverflow: boolean
  /** There are escapes of surrogates, so the strings must be looked at. */
  surrogateEscapes: boolean
  tooDeep: boolean
}

const QUOTE = 0x22
const BACKSLASH = 0x5c
const SAFE_DIGITS = 15

export function scanJson(text: string, depthMax: number): JsonScan {
  const scan: JsonScan = {
    members: 0,
    canonicalNumbers: true,
    numberOverflow: false,
    surrogateEscapes: false,
    tooDeep: false,
  }
  let depth = 0
  let index = 0
  while (index < text.length) {
    const unit = text.charCodeAt(index)
    if (unit === QUOTE) index = endOfString(text, index + 1, scan)
    else if (unit === 0x2d || (unit >= 0x30 && unit <= 0x39)) index = endOfNumber(text, index, scan)
    else {
      index += 1
      if (unit === 0x3a) scan.members += 1
      else if (unit === 0x7b || unit === 0x5b) {
        depth += 1
        if (depth > depthMax) {
          scan.tooDeep = true
          return scan
        }
      } else if (unit === 0x7d || unit === 0x5d) depth -= 1
    }
  }
  return scan
}

function endOfString(text: string, start: number, scan: JsonScan): number {
  let index = start
  while (index < text.length) {
    const unit = text.charCodeAt(index)
    if (unit === QUOTE) return index + 1
    if (unit === BACKSLASH) {
      // `\ud` or `\uD`: U+D000 to U+DFFF, of which the upper half are surrogates.
      if ((text.charCodeAt(index + 2) | 0x20) === 0x64 && text.charCodeAt(index + 1) === 0x75)
        scan.surrogateEscapes = true
      index += 2
    } else index += 1
  }
  return index
}

function endOfNumber(text: string, start: number, scan: JsonScan): number {
  let index = start
  let integer = true
  for (; index < text.length; index += 1) {
    const unit = text.charCodeAt(index)
    if (unit >= 0x30 && unit <= 0x39) continue
    if (unit === 0x2d && index === start) continue
    // `.`, `+`, `-`, `e` and `E` belong to the number but not to an integer.
    if (unit !== 0x2e && unit !== 0x2b && unit !== 0x2d && (unit | 0x20) !== 0x65) break
    integer = false
  }
  const digits = index - start - (text.charCodeAt(start) === 0x2d ? 1 : 0)
  if (!integer || digits > SAFE_DIGITS) checkUnusualNumber(text.slice(start, index), integer, scan)
  // Leading zeros are against the grammar, so this can only be minus zero.
  else if (digits === 1 && index - start === 2 && text.charCodeAt(start + 1) === 0x30) scan.canonicalNumbers = false
  return index
}

function checkUnusualNumber(literal: string, integer: boolean, scan: JsonScan): void {
  const value = Number(literal)
  if (!integer || !Number.isSafeInteger(value)) scan.canonicalNumbers = false
  if (!Number.isFinite(value)) scan.numberOverflow = true
}
