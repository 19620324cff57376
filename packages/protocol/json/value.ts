/** JSON as types. Objects from the strict parser have no prototype members, so that no key is special. */

export type JsonValue = string | number | boolean | null | JsonArray | JsonObject
export type JsonArray = readonly JsonValue[]
export type JsonObject = { readonly [key: string]: JsonValue }
/** A JSON object that is still being built. */
export type MutableJsonObject = { [key: string]: JsonValue }

export function isObject(value: JsonValue | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

// An object made by this constructor inherits from an empty, frozen object without a prototype: it behaves as a null-prototype
// object does, but the engine keeps it in its fast form, which `Object.create(null)` never has.
const BareObject = function () {} as unknown as { new (): MutableJsonObject; prototype: object }
BareObject.prototype = Object.freeze(Object.create(null)) as object

/** A new object in which every key, also `__proto__`, is an ordinary member and none is inherited. */
export function emptyObject(): MutableJsonObject {
  return new BareObject()
}
