/** Many glob patterns asked at once whether one of them matches a name of ASCII characters. */

export type GlobSet = { readonly matches: (name: string) => boolean }

const STAR = 0x2a
const QUESTION_MARK = 0x3f
const ASCII_END = 0x7f
const WORD_BITS = 32

/** Bits of all patterns, one behind the other: for a pattern of n characters beside its stars, n + 1 states. */
type Automaton = {
  /** Nothing of the pattern is matched yet. */
  readonly start: Int32Array
  /** The whole pattern is matched. */
  readonly final: Int32Array
  /** A star stands here: any character leaves the state as it is. */
  readonly loops: Int32Array
  /** The states that `?` leads to. */
  readonly wild: Int32Array
  /** The states that a character, or `?`, leads to. */
  readonly led: ReadonlyMap<number, Int32Array>
}

/**
 * All patterns run at the same time as bits of machine words, so the answer takes the length of the name times that of all
 * patterns in words, and no pattern is worse than another: 64 KB of them take a millisecond. Patterns that need a longer name
 * than `nameCharactersMax` are left out.
 */
export function compileGlobSet(patterns: Iterable<string>, nameCharactersMax: number): GlobSet {
  const automaton = automatonOf([...patterns].filter((pattern) => statesOf(pattern) <= nameCharactersMax + 1))
  return { matches: (name) => runs(automaton, name) }
}

function automatonOf(patterns: readonly string[]): Automaton {
  const states = patterns.reduce((sum, pattern) => sum + statesOf(pattern), 0)
  const none = (): Int32Array => new Int32Array(Math.ceil(states / WORD_BITS))
  const automaton = { start: none(), final: none(), loops: none(), wild: none() }
  const led = new Map<number, Int32Array>()
  let state = 0
  for (const pattern of patterns) {
    setBit(automaton.start, state)
    for (let index = 0; index < pattern.length; index += 1) {
      const unit = pattern.charCodeAt(index)
      if (unit === STAR) setBit(automaton.loops, state)
      else {
        state += 1
        if (unit === QUESTION_MARK) setBit(automaton.wild, state)
        // Other characters are in no name. Masks for them would only take memory.
        else if (unit <= ASCII_END) setBit(maskFor(led, unit, none), state)
      }
    }
    setBit(automaton.final, state)
    state += 1
  }
  for (const mask of led.values()) for (const [index, word] of automaton.wild.entries()) mask[index]! |= word
  return { ...automaton, led }
}

function statesOf(pattern: string): number {
  return pattern.replaceAll('*', '').length + 1
}

function maskFor(led: Map<number, Int32Array>, unit: number, none: () => Int32Array): Int32Array {
  const mask = led.get(unit) ?? none()
  led.set(unit, mask)
  return mask
}

function setBit(mask: Int32Array, bit: number): void {
  mask[bit >>> 5]! |= 1 << (bit & 31)
}

function runs({ start, final, loops, wild, led }: Automaton, name: string): boolean {
  const states = start.slice()
  for (let index = 0; index < name.length; index += 1) {
    const reachable = led.get(name.charCodeAt(index)) ?? wild
    let carry = 0
    for (let word = 0; word < states.length; word += 1) {
      const bits = states[word]!
      // No character leads to a start state, so what the shift carries over from the pattern before is lost there.
      states[word] = (((bits << 1) | carry) & reachable[word]!) | (bits & loops[word]!)
      carry = bits >>> 31
    }
  }
  return states.some((word, index) => (word & final[index]!) !== 0)
}
