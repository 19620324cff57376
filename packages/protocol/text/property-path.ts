/** Dot-separated paths of event properties. <https://spec.matrix.org/v1.19/appendices/#dot-separated-property-paths> */
import { isObject, type JsonValue } from '../json/value.ts'

/** The property names of a path; `\.` is a dot and `\\` a backslash inside a name, other backslashes stay. */
export function parsePropertyPath(path: string): string[] {
  const names: string[] = []
  let name = ''
  for (let index = 0; index < path.length; index += 1) {
    const character = path[index] as string
    const next = path[index + 1]
    if (character === '\\' && (next === '.' || next === '\\')) {
      name += next
      index += 1
    } else if (character === '.') {
      names.push(name)
      name = ''
    } else name += character
  }
  names.push(name)
  return names
}

/** The value at the path, undefined where it leads nowhere. */
export function valueAtPath(value: JsonValue, names: readonly string[]): JsonValue | undefined {
  let current: JsonValue | undefined = value
  for (const name of names) {
    if (!isObject(current) || !Object.hasOwn(current, name)) return undefined
    current = current[name]
  }
  return current
}
