/** The key order of canonical JSON: Unicode code points, not the UTF-16 units that JavaScript compares. */

// Below the surrogates both orders agree, so only a key with a unit from here on needs care.
const ABOVE_COMMON = /[\ud800-\uffff]/

/** Negative, zero or positive, as `left` comes before, with or after `right` by code point. */
export function compareByCodePoint(left: string, right: string): number {
  const length = Math.min(left.length, right.length)
  for (let index = 0; index < length; index += 1) {
    const a = left.charCodeAt(index)
    const b = right.charCodeAt(index)
    if (a !== b) return codePointRank(a) - codePointRank(b)
  }
  return left.length - right.length
}

/** Surrogates stand for code points above U+FFFF, so they rank after the rest of the plane. */
function codePointRank(unit: number): number {
  return unit >= 0xd800 && unit < 0xe000 ? unit + 0x10000 : unit
}

/** Sorts keys in place by code point and returns them. */
export function sortByCodePoint(keys: string[]): string[] {
  return keys.some((key) => ABOVE_COMMON.test(key)) ? keys.sort(compareByCodePoint) : keys.sort()
}
