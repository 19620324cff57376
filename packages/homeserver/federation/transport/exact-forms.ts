/**
 * The exact forms of what other servers answered: the numbers as they are spelt, where that is not the canonical way. They go
 * with the values, because most callers never need them: events of old room versions alone are hashed as they were spelt.
 */
import { parseExactly } from '@holdfast/protocol/event/exact-json'
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'

const forms = new WeakMap<JsonObject, JsonObject>()

/** Undefined where there is no difference. */
export function exactForm(value: JsonObject): JsonObject | undefined {
  return forms.get(value)
}

/** For a text that `parseJson` accepted: for objects in it that are items or members of its root, or items of members. */
export function noteExactForms(value: JsonValue, text: Uint8Array): void {
  note(value, parseExactly(new TextDecoder().decode(text)), 2)
}

function note(value: JsonValue | undefined, exact: JsonValue | undefined, levels: number): void {
  if (Array.isArray(value) && Array.isArray(exact)) {
    const items = exact as readonly JsonValue[]
    for (const [index, item] of (value as readonly JsonValue[]).entries()) note(item, items[index], levels)
  } else if (isObject(value) && isObject(exact)) {
    forms.set(value, exact)
    if (levels > 0) for (const key of Object.keys(value)) note(value[key], exact[key], levels - 1)
  }
}
