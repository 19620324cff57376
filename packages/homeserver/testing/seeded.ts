/** Chance that can be had again: a small generator for tests, by seed. */

export type Seeded = {
  /** An integer from 0 to `end`, without it. */
  below(end: number): number
  pick<T>(choices: readonly T[]): T
  /** True once in `times`. */
  oneIn(times: number): boolean
}

/** Mulberry32. */
export function seeded(seed: number): Seeded {
  let state = seed
  function next(): number {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
  const below = (end: number): number => Math.floor(next() * end)
  return { below, pick: (choices) => choices[below(choices.length)]!, oneIn: (times) => below(times) === 0 }
}
