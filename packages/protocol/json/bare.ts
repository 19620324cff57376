/** Second half of the strict parser: moves what the engine parsed into objects without a prototype. */
import { emptyObject, type JsonValue, type MutableJsonObject } from './value.ts'

/** Up to this depth recursion is safe, and faster. */
const RECURSION_DEPTH_MAX = 200

export type BareValue = {
  readonly value: JsonValue
  /** Members of all objects together. */
  readonly members: number
}

type Count = { members: number }
type Container = MutableJsonObject | JsonValue[]

/** `depth` is how many containers are inside one another. The value is used up: its arrays are changed in place. */
export function withoutPrototypes(value: JsonValue, depth: number): BareValue {
  const count: Count = { members: 0 }
  const bare = depth <= RECURSION_DEPTH_MAX ? bareCopy(value, count) : bareCopyOfDeep(value, count)
  return { value: bare, members: count.members }
}

function bareCopy(value: JsonValue, count: Count): JsonValue {
  if (typeof value !== 'object' || value === null) return value
  if (Array.isArray(value)) return bareItems(value as JsonValue[], count)
  const source = value as MutableJsonObject
  const copy = emptyObject()
  let members = 0
  // What the engine parsed inherits nothing enumerable, so these are its own keys.
  for (const key in source) {
    const child = source[key] as JsonValue
    copy[key] = typeof child === 'object' ? bareCopy(child, count) : child
    members += 1
  }
  count.members += members
  return copy
}

function bareItems(items: JsonValue[], count: Count): JsonValue[] {
  for (let index = 0; index < items.length; index += 1) {
    const child = items[index] as JsonValue
    if (typeof child === 'object') items[index] = bareCopy(child, count)
  }
  return items
}

/** The same with a list of its own instead of recursion. */
function bareCopyOfDeep(value: JsonValue, count: Count): JsonValue {
  const top: JsonValue[] = [value]
  // Each container waits together with what takes its place.
  const waiting: [source: Container, target: Container][] = [[top, top]]
  const place = (child: JsonValue): JsonValue => {
    if (typeof child !== 'object' || child === null) return child
    const target = Array.isArray(child) ? (child as JsonValue[]) : emptyObject()
    waiting.push([child as Container, target])
    return target
  }
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    const [source, target] = next
    if (Array.isArray(source)) {
      for (const [index, child] of source.entries()) source[index] = place(child)
      continue
    }
    for (const [key, child] of Object.entries(source)) {
      count.members += 1
      ;(target as MutableJsonObject)[key] = place(child)
    }
  }
  return top[0] as JsonValue
}

/** Whether no string and no key in the value has half of a surrogate pair. */
export function hasOnlyWholeStrings(value: JsonValue): boolean {
  const waiting: JsonValue[] = [value]
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (typeof next === 'string' && !next.isWellFormed()) return false
    if (typeof next !== 'object' || next === null) continue
    if (!Array.isArray(next)) for (const key of Object.keys(next)) waiting.push(key)
    for (const child of Object.values(next)) waiting.push(child as JsonValue)
  }
  return true
}
