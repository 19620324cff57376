/** Finds a piece of text with one-character wildcards in one pass, by keeping all its possible positions as bits of machine words. */

export const WILDCARD = '?'
const WILDCARD_UNIT = 0x3f

// Not 32: the highest bit is carried to the next word, and 31 bits stay a small integer of the engine.
const WORD_BITS = 31
const WORD_MASK = 0x7fff_ffff

export type Piece = {
  readonly length: number
  readonly masks: ReadonlyMap<number, Int32Array>
  readonly anyMask: Int32Array
}

/** Where a match may begin and where it may end (the index behind it). */
export type Bounds = {
  readonly mayStart?: (index: number) => boolean
  readonly mayEnd?: (index: number) => boolean
}

export function preparePiece(text: string, hasWildcard: boolean): Piece {
  const anyMask = new Int32Array(Math.ceil(text.length / WORD_BITS))
  const isWild = (index: number): boolean => hasWildcard && text.charCodeAt(index) === WILDCARD_UNIT
  for (let index = 0; index < text.length; index += 1) if (isWild(index)) setBit(anyMask, index)
  const masks = new Map<number, Int32Array>()
  for (let index = 0; index < text.length; index += 1) {
    if (isWild(index)) continue
    const mask = masks.get(text.charCodeAt(index)) ?? anyMask.slice()
    setBit(mask, index)
    masks.set(text.charCodeAt(index), mask)
  }
  return { length: text.length, masks, anyMask }
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
  const { length } = piece
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

/** Whether the piece, with its wildcards, stands at `index` of the text. */
export function isPieceAt(piece: string, text: string, index: number): boolean {
  for (let offset = 0; offset < piece.length; offset += 1) {
    const unit = piece.charCodeAt(offset)
    if (unit !== WILDCARD_UNIT && unit !== text.charCodeAt(index + offset)) return false
  }
  return index + piece.length <= text.length
}
