/** `event_fields`: parts of an event that a client wants. <https://spec.matrix.org/v1.19/client-server-api/#filtering> */
import { emptyObject, isObject, type JsonObject, type JsonValue } from '../json/value.ts'
import { parsePropertyPath } from '../text/property-path.ts'

/** Wanted properties by name, each whole or in parts. */
export type EventFields = ReadonlyMap<string, EventFields | 'whole'>
type Branch = Map<string, Branch | 'whole'>

/** A longer path asks for what its beginning leads to: more than wanted, but no recursion that a client could drive deep. */
const PATH_NAMES_MAX = 32

/** undefined for whole events: no list, or an empty one, of which a server may answer more than was asked for. */
export function parseEventFields(paths: readonly string[] | undefined): EventFields | undefined {
  if (paths === undefined || paths.length === 0) return undefined
  const root: Branch = new Map()
  for (const path of paths) addPath(root, parsePropertyPath(path).slice(0, PATH_NAMES_MAX))
  return root
}

function addPath(root: Branch, names: readonly string[]): void {
  let branch = root
  for (const [index, name] of names.entries()) {
    const existing = branch.get(name)
    if (existing === 'whole') return
    if (index === names.length - 1) branch.set(name, 'whole')
    else {
      const next: Branch = existing ?? new Map()
      branch.set(name, next)
      branch = next
    }
  }
}

/** The wanted parts of an event. A path that leads nowhere gives nothing. */
export function applyEventFields(event: JsonObject, fields: EventFields): JsonObject {
  const result = emptyObject()
  for (const [name, wanted] of fields) {
    const value: JsonValue | undefined = Object.hasOwn(event, name) ? event[name] : undefined
    if (value === undefined) continue
    if (wanted === 'whole') result[name] = value
    else if (isObject(value)) {
      const part = applyEventFields(value, wanted)
      if (Object.keys(part).length > 0) result[name] = part
    }
  }
  return result
}
