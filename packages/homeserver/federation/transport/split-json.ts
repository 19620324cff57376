/**
 * Large answers of other servers, parsed a piece at a time so that the event loop goes on. The result is that of `parseJson`:
 * the long lists directly below the root are cut between their items, the pieces and what is left without them are parsed
 * strictly, and the whole is sound exactly if all of them are.
 */
import type { Clock } from '@holdfast/platform/clock/clock'
import { createSlices } from '@holdfast/platform/clock/slices'
import { parseJson, type JsonParsed } from '@holdfast/protocol/json/parse'
import type { JsonObject, JsonValue } from '@holdfast/protocol/json/value'
import { noteExactForms } from './exact-forms.ts'

export const SPLIT_LIMITS = {
  /** Up to this size a text is parsed at once. */
  wholeBytesMax: 128 * 1024,
  /** A list is cut behind the item with which a piece reaches this. */
  pieceBytesMin: 32 * 1024,
  /** An answer with more lists than any endpoint has is not worth the cuts. */
  listsMax: 64,
} as const

// Events of other servers have no limit of depth but their size.
const OPTIONS = { depthMax: Infinity }

const [QUOTE, COMMA, BACKSLASH] = [0x22, 0x2c, 0x5c]
const [LIST_START, LIST_END, OBJECT_START, OBJECT_END] = [0x5b, 0x5d, 0x7b, 0x7d]

export async function parseLargeJson(text: Uint8Array, clock: Pick<Clock, 'monotonicMs'>): Promise<JsonParsed> {
  if (text.length <= SPLIT_LIMITS.wholeBytesMax || !isObjectText(text)) return parsePiece(text)
  const slice = createSlices(clock)
  const lists: JsonValue[][] = []
  const rest: Uint8Array[] = []
  let canonicalNumbers = true
  let restFrom = 0
  for (const piece of piecesOf(text)) {
    if (piece.kind === 'list') {
      if (lists.length === SPLIT_LIMITS.listsMax) return parsePiece(text)
      rest.push(text.subarray(restFrom, piece.start), Buffer.from(String(lists.length)))
      lists.push([])
      restFrom = piece.start
      continue
    }
    restFrom = piece.end
    const parsed = parsePiece(Buffer.concat([LIST_START_TEXT, text.subarray(piece.start, piece.end), LIST_END_TEXT]))
    if (!parsed.ok) return parsed
    const items = parsed.value as JsonValue[]
    // Between two commas there is an item; only a list of one piece may have none.
    if (items.length === 0 && !(piece.isFirst && piece.isLast)) return NO_ITEM
    canonicalNumbers &&= parsed.canonicalNumbers
    const list = lists.at(-1)!
    for (const item of items) list.push(item)
    await slice()
  }
  const skeleton = parsePiece(Buffer.concat([...rest, text.subarray(restFrom)]))
  if (!skeleton.ok) return skeleton
  const value = withLists(skeleton.value as JsonObject, lists)
  return { ok: true, value, canonicalNumbers: canonicalNumbers && skeleton.canonicalNumbers }
}

const LIST_START_TEXT = Uint8Array.of(LIST_START)
const LIST_END_TEXT = Uint8Array.of(LIST_END)
const NO_ITEM: JsonParsed = { ok: false, problem: 'syntax', message: 'A list has a comma without an item.' }

function parsePiece(text: Uint8Array): JsonParsed {
  const parsed = parseJson(text, OPTIONS)
  if (parsed.ok && !parsed.canonicalNumbers) noteExactForms(parsed.value, text)
  return parsed
}

/** In the skeleton each list below the root has one item: its number among the lists. */
function withLists(skeleton: JsonObject, lists: readonly JsonValue[][]): JsonObject {
  const value = skeleton as Record<string, JsonValue>
  for (const [key, numbers] of Object.entries(value)) {
    if (Array.isArray(numbers)) value[key] = lists[(numbers as readonly number[])[0]!]!
  }
  return value
}

type Piece =
  /** A list begins here, behind its bracket. */
  | { readonly kind: 'list'; readonly start: number }
  | {
      readonly kind: 'items'
      readonly start: number
      readonly end: number
      readonly isFirst: boolean
      readonly isLast: boolean
    }

/** The lists that are members of the root object, and the pieces of each. What is against the grammar is found by parsing them. */
function* piecesOf(text: Uint8Array): Generator<Piece> {
  const bytes = Buffer.from(text.buffer, text.byteOffset, text.byteLength)
  let depth = 0
  let start: number | undefined
  let isFirst = true
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index]!
    if (byte === QUOTE) index = endOfString(bytes, index)
    else if (byte === LIST_START || byte === OBJECT_START) {
      depth += 1
      if (depth !== 2 || byte !== LIST_START) continue
      start = index + 1
      isFirst = true
      yield { kind: 'list', start }
    } else if (byte === LIST_END || byte === OBJECT_END) {
      if (depth === 2 && start !== undefined) {
        yield { kind: 'items', start, end: index, isFirst, isLast: true }
        start = undefined
      }
      depth -= 1
    } else if (byte === COMMA && depth === 2 && start !== undefined && index - start >= SPLIT_LIMITS.pieceBytesMin) {
      yield { kind: 'items', start, end: index, isFirst, isLast: false }
      start = index + 1
      isFirst = false
    }
  }
}

/** Where the closing quote is, or the end of the text. */
function endOfString(bytes: Buffer, start: number): number {
  let end = bytes.indexOf(QUOTE, start + 1)
  while (end !== -1) {
    let backslashes = 0
    while (bytes[end - 1 - backslashes] === BACKSLASH) backslashes += 1
    if (backslashes % 2 === 0) return end
    end = bytes.indexOf(QUOTE, end + 1)
  }
  return bytes.length
}

function isObjectText(text: Uint8Array): boolean {
  const first = text.find((byte) => byte !== 0x20 && byte !== 0x09 && byte !== 0x0a && byte !== 0x0d)
  return first === OBJECT_START
}
