/** Canonical JSON: the one text of a value that is hashed and signed. <https://spec.matrix.org/v1.19/appendices/#canonical-json> */
import { compareByCodePoint, sortByCodePoint } from './order.ts'
import type { JsonArray, JsonObject, JsonValue } from './value.ts'

/** Beyond this depth nothing recurses, so that no event can exhaust the stack. */
const RECURSION_DEPTH_MAX = 200

const NON_BMP = /[\ud800-\udfff]/

type Shape = 'sorted' | 'unsorted' | 'deep'
type Compare = (left: string, right: string) => number

const compareByUnit: Compare = (left, right) => (left < right ? -1 : 1)

/** The canonical text of `value`. Throws a TypeError for what has none: fractions, unsafe integers, lone surrogates, undefined. */
export function canonicalJson(value: JsonValue): string {
  let shape = shapeOf(value, compareByUnit, 0)
  if (shape !== 'sorted') return writeCanonical(value)
  // The keys already come in order, which is so for every event that was stored by us: the engine's own writer gives the text.
  const text = JSON.stringify(value)
  if (!NON_BMP.test(text)) return text
  shape = shapeOf(value, compareByCodePoint, 0)
  return shape === 'sorted' ? text : writeCanonical(value)
}

/** Whether canonical JSON can say this value exactly: only safe integers, no minus zero, no lone surrogates. */
export function isCanonicalValue(value: JsonValue): boolean {
  const waiting: JsonValue[] = [value]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === 'object' && next !== null) {
      if (Array.isArray(next)) for (const item of next as JsonArray) waiting.push(item)
      else {
        for (const key of Object.keys(next)) {
          if (!key.isWellFormed()) return false
          waiting.push((next as JsonObject)[key] as JsonValue)
        }
      }
    } else if (typeof next === 'number') {
      if (!Number.isSafeInteger(next) || Object.is(next, -0)) return false
    } else if (typeof next === 'string' && !next.isWellFormed()) return false
  }
  return true
}

/** How the value can be written; throws when it cannot. */
function shapeOf(value: JsonValue, compare: Compare, depth: number): Shape {
  if (typeof value !== 'object' || value === null) {
    checkScalar(value)
    return 'sorted'
  }
  if (depth > RECURSION_DEPTH_MAX) return 'deep'
  if (Array.isArray(value)) return shapeOfAll(value as JsonArray, compare, depth)
  let shape: Shape = 'sorted'
  let previous: string | undefined
  for (const key in value as JsonObject) {
    if (previous !== undefined && compare(previous, key) >= 0) return 'unsorted'
    previous = key
    checkString(key)
    const child = (value as JsonObject)[key] as JsonValue
    if (typeof child === 'string') checkString(child)
    else {
      shape = shapeOf(child, compare, depth + 1)
      if (shape !== 'sorted') return shape
    }
  }
  return shape
}

function shapeOfAll(items: JsonArray, compare: Compare, depth: number): Shape {
  for (const item of items) {
    const shape = shapeOf(item, compare, depth + 1)
    if (shape !== 'sorted') return shape
  }
  return 'sorted'
}

function checkScalar(value: JsonValue): void {
  if (typeof value === 'string') checkString(value)
  else if (typeof value === 'number') {
    if (!Number.isSafeInteger(value)) throw new TypeError(`${value} is not an integer of canonical JSON`)
  } else if (typeof value !== 'boolean' && value !== null) throw new TypeError(`${typeof value} is not a JSON value`)
}

function checkString(text: string): void {
  if (!text.isWellFormed()) throw new TypeError('a string contains half of a surrogate pair')
}

/** A container whose members are being written. */
type Frame = {
  readonly container: JsonObject | JsonArray
  /** The keys of an object in canonical order, undefined for an array. */
  readonly keys: readonly string[] | undefined
  next: number
}

/** Writes any value, with its own stack instead of recursion. */
function writeCanonical(root: JsonValue): string {
  const stack: Frame[] = []
  let text = ''
  let pending: JsonValue | undefined = root
  for (;;) {
    if (pending !== undefined) {
      if (typeof pending === 'object' && pending !== null) {
        stack.push(frameOf(pending))
        text += Array.isArray(pending) ? '[' : '{'
      } else text += writeScalar(pending)
    }
    const frame = stack.at(-1)
    if (frame === undefined) return text
    const { keys, container } = frame
    const index = frame.next
    frame.next += 1
    if (index >= (keys ?? (container as JsonArray)).length) {
      text += keys === undefined ? ']' : '}'
      stack.pop()
      pending = undefined
      continue
    }
    if (index > 0) text += ','
    if (keys === undefined) pending = definedMember((container as JsonArray)[index])
    else {
      const key = keys[index] as string
      text += `${writeScalar(key)}:`
      pending = definedMember((container as JsonObject)[key])
    }
  }
}

function frameOf(container: JsonObject | JsonArray): Frame {
  return { container, keys: Array.isArray(container) ? undefined : sortByCodePoint(Object.keys(container)), next: 0 }
}

function definedMember(value: JsonValue | undefined): JsonValue {
  if (value === undefined) throw new TypeError('undefined is not a JSON value')
  return value
}

/** The engine escapes exactly as canonical JSON asks, and writes minus zero as 0. */
function writeScalar(value: JsonValue): string {
  checkScalar(value)
  return JSON.stringify(value)
}
