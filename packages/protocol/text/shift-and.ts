/** Finds a piece of text with one-character wildcards in one pass, by keeping all its possible positions as bits of machine words. */

/** Stands for any one character in the units of a piece. */
export const ANY_UNIT = -1

// Not 32: the highest bit is carried to the next word, and 31 bits stay a small integer of the engine.
const WORD_BITS = 31
const WORD_MASK = 0x7fff_ffff

export type Piece = {
  /** Code units, `ANY_UNIT` for a wildcard. */
  readonly units: readonly number[]
  readonly masks: ReadonlyMap<number, Int32Array>
  readonly anyMask: Int32Array
}

/** Where a match may begin and where it may end (the index behind it). */
export type Bounds = {
  readonly mayStart?: (index: number) => boolean
  readonly mayEnd?: (index: number) => boolean
}

export function preparePiece(units: readonly number[]): Piece {
  const words = Math.ceil(units.length / WORD_BITS)
  const anyMask = new Int32Array(words)
  for (const [index, unit] of units.entries()) if (unit === ANY_UNIT) setBit(anyMask, index)
  const masks = new Map<number, Int32Array>()
  for (const [index, unit] of units.entries()) {
    if (unit === ANY_UNIT) continue
    const mask = masks.get(unit) ?? anyMask.slice()
    setBit(mask, index)
    masks.set(unit, mask)
  }
  return { units, masks, anyMask }
}

function setBit(mask: Int32Array, index: number): void {
  const word = Math.floor(index / WORD_BITS)
  mask[word] = (mask[word] as number) | (1 << (index % WORD_BITS))
}

/** The index behind the first match that begins at `from` or later and ends at `to` or earlier; -1 when there is none. */
export function findPiece(
  piece: Piece,
  text: string,
  { from, to, bounds = {} }: { readonly from: number; readonly to: number; readonly bounds?: Bounds },
): number {
  const length = piece.units.length
  if (to - from < length) return -1
  const state = new Int32Array(piece.anyMask.length)
  const goal = { word: Math.floor((length - 1) / WORD_BITS), bit: 1 << ((length - 1) % WORD_BITS) }
  for (let index = from; index < to; index += 1) {
    const starts = bounds.mayStart === undefined || bounds.mayStart(index)
    advance(state, piece.masks.get(text.charCodeAt(index)) ?? piece.anyMask, starts ? 1 : 0)
    const complete = ((state[goal.word] as number) & goal.bit) !== 0
    if (complete && (bounds.mayEnd === undefined || bounds.mayEnd(index + 1))) return index + 1
  }
  return -1
}

/** One step: every position that is alive moves on by one, if the character fits there. */
function advance(state: Int32Array, mask: Int32Array, start: number): void {
  let carry = start
  for (let word = 0; word < state.length; word += 1) {
    const bits = state[word] as number
    state[word] = ((bits << 1) | carry) & WORD_MASK & (mask[word] as number)
    carry = (bits >>> (WORD_BITS - 1)) & 1
  }
}

/** Whether the units stand at `index` of the text. */
export function isPieceAt(units: readonly number[], text: string, index: number): boolean {
  for (let offset = 0; offset < units.length; offset += 1) {
    const unit = units[offset] as number
    if (unit !== ANY_UNIT && unit !== text.charCodeAt(index + offset)) return false
  }
  return index + units.length <= text.length
}
