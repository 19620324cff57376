/** Chance that is the same for the same seed. */

export type Dice = {
  /** A whole number from 0 to below `sides`. */
  readonly roll: (sides: number) => number
  /** Whether something that happens in `percent` of the cases happens. */
  readonly chance: (percent: number) => boolean
  readonly pick: <T>(items: readonly T[]) => T
}

export function createDice(seed: number): Dice {
  let state = (seed + 0x9e37_79b9) >>> 0
  const next = (): number => {
    state = (state + 0x6d2b_79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)) ^ mixed
    return (mixed ^ (mixed >>> 14)) >>> 0
  }
  const roll = (sides: number): number => next() % sides
  return { roll, chance: (percent) => roll(100) < percent, pick: (items) => items[roll(items.length)]! }
}
