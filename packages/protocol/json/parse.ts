/**
 * The strict JSON parser: what two servers could read in two ways is refused, and no key can touch a prototype.
 *
 * The grammar is checked and the strings are built by the engine's own parser; `scanJson` reads the source text beside it,
 * because a parsed value no longer shows how a number was written or that a key came twice.
 */
import { hasOnlyWholeStrings, withoutPrototypes } from './bare.ts'
import { scanJson } from './scan.ts'
import type { JsonValue } from './value.ts'

export type JsonProblem = 'encoding' | 'syntax' | 'depth' | 'duplicate-key' | 'lone-surrogate' | 'number-out-of-range'

export type JsonParsed =
  | { readonly ok: true; readonly value: JsonValue; readonly canonicalNumbers: boolean }
  | { readonly ok: false; readonly problem: JsonProblem; readonly message: string }

export type JsonParseOptions = {
  /** How many containers may be inside one another. `Infinity` for events of other servers: nothing here recurses. */
  readonly depthMax?: number
}

/** Containers inside one another in what clients send. The depth of events from other servers has no limit but their size. */
export const JSON_DEPTH_MAX_DEFAULT = 100

// The byte order mark is kept so that it is refused as any other stray character. <https://www.rfc-editor.org/rfc/rfc8259#section-8.1>
const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

export function parseJson(input: Uint8Array | string, options: JsonParseOptions = {}): JsonParsed {
  const text = typeof input === 'string' ? input : decodeUtf8(input)
  if (text === undefined) return refuse('encoding', 'The text is not valid UTF-8.')
  if (!text.isWellFormed()) return refuse('lone-surrogate', 'The text contains half of a surrogate pair.')
  const depthMax = options.depthMax ?? JSON_DEPTH_MAX_DEFAULT
  const scan = scanJson(text, depthMax)
  if (scan.depth > depthMax) return refuse('depth', `Objects and arrays may be at most ${depthMax} deep.`)
  let parsed: JsonValue
  try {
    parsed = JSON.parse(text) as JsonValue
  } catch (error) {
    return refuse('syntax', (error as SyntaxError).message)
  }
  if (scan.numberOverflow) return refuse('number-out-of-range', 'A number is larger than a double can hold.')
  if (scan.surrogateEscapes && !hasOnlyWholeStrings(parsed)) {
    return refuse('lone-surrogate', 'An escape stands for half of a surrogate pair.')
  }
  const { value, members } = withoutPrototypes(parsed, scan.depth)
  if (members !== scan.members) return refuse('duplicate-key', 'An object has the same key twice.')
  return { ok: true, value, canonicalNumbers: scan.canonicalNumbers }
}

function refuse(problem: JsonProblem, message: string): JsonParsed {
  return { ok: false, problem, message }
}

function decodeUtf8(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes)
  } catch {
    return undefined
  }
}
