/** Chance that can be had again: the same seed gives the same choices. */

export type Chance = {
  /** 0 inclusive to 1 exclusive. */
  fraction(): number
  /** From `low` to `high`, both included. */
  between(low: number, high: number): number
  pick<T>(from: readonly T[]): T
  /** Chance of its own, so that what one actor draws does not depend on how often another does. */
  fork(name: string): Chance
}

export function seeded(seed: string): Chance {
  let state = hash(seed)
  // mulberry32
  const fraction = (): number => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  return {
    fraction,
    between: (low, high) => low + Math.floor(fraction() * (high - low + 1)),
    pick: (from) => {
      if (from.length === 0) throw new Error('nothing to pick from')
      return from[Math.floor(fraction() * from.length)]!
    },
    fork: (name) => seeded(`${seed}/${name}`),
  }
}

/** FNV-1a */
function hash(text: string): number {
  let value = 0x811c9dc5
  for (const byte of Buffer.from(text)) value = Math.imul(value ^ byte, 0x01000193)
  return value
}
