/** The shapes that request bodies and parameters are checked against: plain data, shared leaves, no code per endpoint. */

/** Parses an identifier, or answers undefined; `noun` completes "must be ...". */
export type IdKind = { readonly noun: string; readonly parse: (raw: string) => string | undefined }

export type Shape =
  | { readonly kind: 'json' | 'null' | 'boolean' | 'integer' | 'number' | 'string' | 'bytes' }
  | { readonly kind: 'id'; readonly id: IdKind }
  | { readonly kind: 'values'; readonly values: readonly string[] }
  | { readonly kind: 'array'; readonly items: Shape }
  | { readonly kind: 'record'; readonly values: Shape; readonly keys: IdKind | undefined }
  | ObjectShape
  | { readonly kind: 'union'; readonly of: readonly Shape[] }
  | { readonly kind: 'choice'; readonly member: string; readonly present: Shape; readonly absent: Shape }

export type ObjectShape = {
  readonly kind: 'object'
  /** Names and shapes side by side: the check walks arrays, not objects. */
  readonly required: readonly string[]
  readonly requiredShapes: readonly Shape[]
  readonly optional: readonly string[]
  readonly optionalShapes: readonly Shape[]
  /** The shape of members that have no name above; undefined lets anything through. */
  readonly others: Shape | undefined
}

export const json: Shape = { kind: 'json' }
export const nothing: Shape = { kind: 'null' }
export const boolean: Shape = { kind: 'boolean' }
export const integer: Shape = { kind: 'integer' }
export const number: Shape = { kind: 'number' }
export const text: Shape = { kind: 'string' }
export const bytes: Shape = { kind: 'bytes' }

/** An object with any content. */
export const jsonObject: Shape = { kind: 'record', values: json, keys: undefined }

export function oneOf(...values: readonly string[]): Shape {
  return { kind: 'values', values }
}

export function array(items: Shape): Shape {
  return { kind: 'array', items }
}

export function record(values: Shape, keys?: Shape): Shape {
  return { kind: 'record', values, keys: keys?.kind === 'id' ? keys.id : undefined }
}

export function object(
  required: Readonly<Record<string, Shape>>,
  optional: Readonly<Record<string, Shape>> = {},
  others?: Shape,
): Shape {
  return {
    kind: 'object',
    required: Object.keys(required),
    requiredShapes: Object.values(required),
    optional: Object.keys(optional),
    optionalShapes: Object.values(optional),
    others,
  }
}

export function union(...of: readonly Shape[]): Shape {
  return { kind: 'union', of }
}

/** `present` if the object has the member, else `absent`. */
export function choice(member: string, present: Shape, absent: Shape): Shape {
  return { kind: 'choice', member, present, absent }
}

/** Whether an absent body means the same as `{}`: nothing is required, and the body is not itself the content. */
export function allowsAbsence(shape: Shape): boolean {
  return shape.kind === 'object' && shape.required.length === 0
}
