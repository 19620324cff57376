/**
 * The strict JSON parser: what two servers could read in two ways is refused, and no key can touch a prototype.
 *
 * The grammar is checked and the strings are built by the engine's own parser; `scanJson` reads the source text beside it,
 * because a parsed value no longer shows how a number was written or that a key came twice.
 */
import { scanJson } from './scan.ts'
import { emptyObject, type JsonValue, type MutableJsonObject } from './value.ts'

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
  if (scan.tooDeep) return refuse('depth', `Objects and arrays may be at most ${depthMax} deep.`)
  let parsed: unknown
  try {
    parsed = JSON.parse(text)
  } catch (error) {
    return refuse('syntax', (error as SyntaxError).message)
  }
  if (scan.numberOverflow) return refuse('number-out-of-range', 'A number is larger than a double can hold.')
  const strictValue = withoutPrototypes(parsed as JsonValue, scan.surrogateEscapes)
  if (strictValue === undefined) return refuse('lone-surrogate', 'An escape stands for half of a surrogate pair.')
  if (strictValue.members !== scan.members) return refuse('duplicate-key', 'An object has the same key twice.')
  return { ok: true, value: strictValue.value, canonicalNumbers: scan.canonicalNumbers }
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

type Container = MutableJsonObject | JsonValue[]

/**
 * Moves the members of every object to one without a prototype, and counts them. Arrays are changed in place.
 * Answers undefined when `checkStrings` is set and a string or key is not well-formed.
 */
function withoutPrototypes(root: JsonValue, checkStrings: boolean): { value: JsonValue; members: number } | undefined {
  // Each container waits together with what takes its place.
  const sources: Container[] = [[root]]
  const targets: Container[] = [sources[0] as Container]
  const top = sources[0] as JsonValue[]
  let members = 0
  const place = (child: JsonValue): JsonValue => {
    if (typeof child !== 'object' || child === null) return child
    const target = Array.isArray(child) ? (child as JsonValue[]) : emptyObject()
    sources.push(child as Container)
    targets.push(target)
    return target
  }
  for (let source = sources.pop(); source !== undefined; source = sources.pop()) {
    const target = targets.pop() as Container
    if (checkStrings && !hasOnlyWholeStrings(source)) return undefined
    if (Array.isArray(source)) {
      for (let index = 0; index < source.length; index += 1) source[index] = place(source[index] as JsonValue)
      continue
    }
    for (const key of Object.keys(source)) {
      members += 1
      ;(target as MutableJsonObject)[key] = place(source[key] as JsonValue)
    }
  }
  return { value: top[0] as JsonValue, members }
}

function hasOnlyWholeStrings(container: Container): boolean {
  const strings = Array.isArray(container) ? container : [...Object.keys(container), ...Object.values(container)]
  return strings.every((item) => typeof item !== 'string' || item.isWellFormed())
}
