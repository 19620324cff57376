/** Glob patterns without backtracking: `*` is any text, `?` one character. <https://spec.matrix.org/v1.19/appendices/#glob-style-matching> */
import { type Bounds, findPiece, isPieceAt, type Piece, preparePiece, WILDCARD } from './shift-and.ts'

/** A compiled pattern. Compile once, match often. */
export type Glob = {
  /** Whether the whole text is of the pattern. */
  readonly matches: (text: string) => boolean
  /** Whether a part of the text is of the pattern that begins and ends at word boundaries, as push rules look at a body. */
  readonly matchesWords: (text: string) => boolean
}

export type GlobOptions = {
  /** Letters A to Z match in both cases. Only those: folding Unicode would let names pass that only look alike. */
  readonly ignoreAsciiCase?: boolean
  /** Whether `?` is a wildcard; the default is yes. Filters have only `*`. */
  readonly questionMark?: boolean
}

/** What stands between two stars: wildcards of one character around a core that begins and ends with none. */
type Segment = {
  readonly text: string
  readonly before: number
  readonly core: string
  readonly after: number
  readonly coreHasWildcard: boolean
  /** Of the core; built when first needed. */
  piece: Piece | undefined
}

/** Segments of a pattern, and how a text is brought to the same characters before they are compared. */
type Compiled = {
  readonly first: Segment
  readonly middle: readonly Segment[]
  /** undefined when the pattern has no star. */
  readonly last: Segment | undefined
  readonly prepare: (text: string) => string
}

/**
 * The pattern is cut at its stars. Each segment is looked for once, behind the one before it, and never given back: the first place
 * is as good as any later one, since a star follows. So no pattern, however hostile, takes longer than its length in words
 * times the text.
 */
export function compileGlob(pattern: string, options: GlobOptions = {}): Glob {
  const wild = options.questionMark !== false
  const fold = options.ignoreAsciiCase === true ? foldAsciiCase : (text: string) => text
  const collapse = wild && pattern.includes('?') ? collapserFor(pattern) : (text: string) => text
  const prepare = (text: string): string => collapse(fold(text))
  const segments = prepare(pattern)
    .split('*')
    .map((text) => segmentOf(text, wild))
  const glob: Compiled = {
    first: segments[0] as Segment,
    middle: segments.slice(1, -1).filter((segment) => segment.text !== ''),
    last: segments.length === 1 ? undefined : segments.at(-1),
    prepare,
  }
  return { matches: (text) => matchesWhole(glob, text), matchesWords: (text) => matchesWords(glob, text) }
}

/** Whether the pattern has no wildcard, so that equality answers it. */
export function isLiteralGlob(pattern: string): boolean {
  return !pattern.includes('*') && !pattern.includes('?')
}

/** ASCII letters in lower case, everything else as it is. */
export function foldAsciiCase(text: string): string {
  return text.replace(/[A-Z]+/g, (letters) => letters.toLowerCase())
}

function matchesWhole({ first, middle, last, prepare }: Compiled, raw: string): boolean {
  const text = prepare(raw)
  if (last === undefined) return text.length === first.text.length && stands(first, text, 0)
  const end = text.length - last.text.length
  if (first.text.length > end || !stands(first, text, 0) || !stands(last, text, end)) return false
  return findAll(middle, text, { from: first.text.length, to: end }) !== -1
}

function stands(segment: Segment, text: string, index: number): boolean {
  const start = index + segment.before
  return segment.coreHasWildcard ? isPieceAt(segment.core, text, start) : text.startsWith(segment.core, start)
}

/** <https://spec.matrix.org/v1.19/client-server-api/#conditions-1> `event_match` on `content.body`. */
function matchesWords({ first, middle, last, prepare }: Compiled, raw: string): boolean {
  const text = prepare(raw)
  const mayStart = (index: number): boolean => index === 0 || !isWordUnit(text.charCodeAt(index - 1))
  const mayEnd = (index: number): boolean => index === text.length || !isWordUnit(text.charCodeAt(index))
  const whole = { from: 0, to: text.length }
  if (last === undefined && first.text === '') return text === ''
  if (last === undefined) return find(first, text, { ...whole, bounds: { mayStart, mayEnd } }) !== -1
  const afterFirst = find(first, text, { ...whole, bounds: { mayStart } })
  const afterMiddle = afterFirst === -1 ? -1 : findAll(middle, text, { from: afterFirst, to: text.length })
  if (afterMiddle === -1) return false
  return find(last, text, { from: afterMiddle, to: text.length, bounds: { mayEnd } }) !== -1
}

function isWordUnit(unit: number): boolean {
  const letter = unit | 0x20
  return (unit >= 0x30 && unit <= 0x39) || unit === 0x5f || (letter >= 0x61 && letter <= 0x7a)
}

type Range = { readonly from: number; readonly to: number; readonly bounds?: Bounds }

/** The index behind the last of the segments when they follow one another in the range, else -1. */
function findAll(segments: readonly Segment[], text: string, { from, to }: Range): number {
  let index = from
  for (const segment of segments) {
    index = find(segment, text, { from: index, to })
    if (index === -1) return -1
  }
  return index
}

function find(segment: Segment, text: string, { from, to, bounds }: Range): number {
  const { before, core, after } = segment
  if (to - from < segment.text.length) return -1
  if (core === '') return findGap(before, { from, to, bounds: bounds ?? {} })
  const range = { from: from + before, to: to - after }
  let end: number
  if (bounds === undefined && !segment.coreHasWildcard) {
    const start = text.indexOf(core, range.from)
    end = start === -1 || start + core.length > range.to ? -1 : start + core.length
  } else {
    segment.piece ??= preparePiece(core, segment.coreHasWildcard)
    end = findPiece(segment.piece, text, { ...range, bounds: shiftBounds(bounds ?? {}, segment) })
  }
  return end === -1 ? -1 : end + after
}

/** The index behind the first `length` characters, whatever they are, that keep to the bounds. */
function findGap(length: number, { from, to, bounds }: Required<Range>): number {
  for (let index = from; index + length <= to; index += 1) {
    if (bounds.mayStart?.(index) !== false && bounds.mayEnd?.(index + length) !== false) return index + length
  }
  return -1
}

function shiftBounds({ mayStart, mayEnd }: Bounds, { before, after }: Segment): Bounds {
  return {
    ...(mayStart === undefined ? {} : { mayStart: (index: number) => mayStart(index - before) }),
    ...(mayEnd === undefined ? {} : { mayEnd: (index: number) => mayEnd(index + after) }),
  }
}

function segmentOf(text: string, wild: boolean): Segment {
  if (!wild || !text.includes(WILDCARD)) {
    return { text, before: 0, core: text, after: 0, coreHasWildcard: false, piece: undefined }
  }
  let before = 0
  while (text[before] === WILDCARD) before += 1
  let end = text.length
  while (end > before && text[end - 1] === WILDCARD) end -= 1
  const core = text.slice(before, end)
  return { text, before, core, after: text.length - end, coreHasWildcard: core.includes(WILDCARD), piece: undefined }
}

const PAIR = /[\ud800-\udbff][\udc00-\udfff]/g
const STAND_INS_FIRST = 0xd800
const OTHER_PAIR = 0xdfff

/**
 * `?` is one character, and a character may be two code units. So that comparing units is comparing characters, each pair becomes
 * half of a pair, which no text contains: one of its own for every pair of the pattern, another for all the rest.
 */
function collapserFor(pattern: string): (text: string) => string {
  const pairs = [...new Set(pattern.match(PAIR))]
  const standIns = new Map(pairs.map((pair, index) => [pair, String.fromCharCode(STAND_INS_FIRST + index)]))
  // A pattern of thousands of different emoji is nobody's wish: its `?` then stands for one unit.
  if (pairs.length > OTHER_PAIR - STAND_INS_FIRST) return (text) => text
  const other = String.fromCharCode(OTHER_PAIR)
  return (text) => text.replace(PAIR, (pair) => standIns.get(pair) ?? other)
}
