/** One pass over JSON source text for what the parsed value no longer shows. It does not check the grammar. */

export type JsonScan = {
  /** Members of all objects, counted by their colons: more than the parsed value has means a key came twice. */
  members: number
  /** How many containers are inside one another; the scan stops where it exceeds its limit. */
  depth: number
  /** Every number is written as a canonical integer. <https://spec.matrix.org/v1.19/appendices/#canonical-json> */
  canonicalNumbers: boolean
  /** A number is beyond what a double can hold. */
  numberOverflow: boolean
  /** There are escapes of surrogates, so the strings must be looked at. */
  surrogateEscapes: boolean
  /** Where the next backslash is, or the end of the text: strings before it end at the next quote. */
  nextBackslash: number
}

const SAFE_DIGITS = 15

export function scanJson(text: string, depthMax: number): JsonScan {
  const scan: JsonScan = {
    members: 0,
    depth: 0,
    canonicalNumbers: true,
    numberOverflow: false,
    surrogateEscapes: false,
    nextBackslash: 0,
  }
  findBackslash(text, 0, scan)
  const { length } = text
  let members = 0
  let depth = 0
  let index = 0
  while (index < length && scan.depth <= depthMax) {
    const unit = text.charCodeAt(index)
    index += 1
    if (unit === 0x22) index = endOfString(text, index, scan)
    else if (unit === 0x3a) members += 1
    else if (unit === 0x7b || unit === 0x5b) {
      depth += 1
      if (depth > scan.depth) scan.depth = depth
    } else if (unit === 0x7d || unit === 0x5d) depth -= 1
    else if (unit === 0x2d || (unit >= 0x30 && unit <= 0x39)) index = endOfNumber(text, index - 1, scan)
  }
  scan.members = members
  return scan
}

function findBackslash(text: string, from: number, scan: JsonScan): void {
  const index = text.indexOf('\\', from)
  scan.nextBackslash = index === -1 ? text.length : index
}

function endOfString(text: string, start: number, scan: JsonScan): number {
  let end = text.indexOf('"', start)
  // A backslash before the quote may escape it.
  while (end > scan.nextBackslash) {
    const behind = scan.nextBackslash + 2
    // `\ud` or `\uD`: U+D000 to U+DFFF, of which the upper half are surrogates.
    if (text.charCodeAt(behind - 1) === 0x75 && (text.charCodeAt(behind) | 0x20) === 0x64) scan.surrogateEscapes = true
    findBackslash(text, behind, scan)
    if (end < behind) end = text.indexOf('"', behind)
  }
  return end === -1 ? text.length : end + 1
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
