/** Whole numbers as bytes, seven bits each, lowest first; the high bit says that more follow. Up to 2^53 - 1. */

const CONTINUES = 0x80

export function pushVarint(bytes: number[], value: number): void {
  let rest = value
  // Not with shifts: these would cut the number to 32 bits.
  while (rest >= CONTINUES) {
    bytes.push((rest % CONTINUES) + CONTINUES)
    rest = Math.floor(rest / CONTINUES)
  }
  bytes.push(rest)
}

/** Reads numbers one after another; throws a RangeError where the bytes end too early or a number is too large. */
export type VarintReader = { readonly next: () => number; readonly atEnd: () => boolean }

export function varintReader(bytes: Uint8Array): VarintReader {
  let position = 0
  const next = (): number => {
    let value = 0
    for (let unit = 1; unit <= 2 ** 49; unit *= CONTINUES) {
      const byte = bytes[position]
      if (byte === undefined) throw new RangeError('the packed numbers end too early')
      position += 1
      value += (byte % CONTINUES) * unit
      if (byte >= CONTINUES) continue
      if (!Number.isSafeInteger(value)) break
      return value
    }
    throw new RangeError('a packed number is too large')
  }
  return { next, atEnd: () => position === bytes.length }
}

/** Small numbers of either sign as small numbers. */
export function zigzag(value: number): number {
  return value < 0 ? -2 * value - 1 : 2 * value
}

export function unzigzag(value: number): number {
  return value % 2 === 0 ? value / 2 : -(value + 1) / 2
}
