/** Parses query strings to what an operation declares; anything else in the query is left alone. */

import { matrixError } from '@holdfast/protocol/errors'
import type { Shape } from './shape.ts'

export type QueryParameter = {
  /** `one`: the first value counts. `many`: repeated. `rest`: every parameter that has no name of its own. */
  readonly kind: 'one' | 'many' | 'rest'
  readonly shape: Shape
  readonly required: boolean
  readonly otherwise: string | number | boolean | undefined
}

export type QueryValue = string | number | boolean | readonly string[] | Readonly<Record<string, string>>

export function must(shape: Shape): QueryParameter {
  return { kind: 'one', shape, required: true, otherwise: undefined }
}

export function may(shape: Shape, otherwise?: string | number | boolean): QueryParameter {
  return { kind: 'one', shape, required: false, otherwise }
}

export function many(shape: Shape): QueryParameter {
  return { kind: 'many', shape, required: false, otherwise: undefined }
}

export function rest(shape: Shape): QueryParameter {
  return { kind: 'rest', shape, required: false, otherwise: undefined }
}

/** What is left after `?`, decoded: `+` is a space, as clients write it. The order of the query is kept. */
export function decodeQuery(raw: string): readonly (readonly [name: string, value: string])[] {
  if (raw === '') return []
  return raw
    .split('&')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=')
      return equals < 0
        ? [decodeForm(part), '']
        : [decodeForm(part.slice(0, equals)), decodeForm(part.slice(equals + 1))]
    })
}

function decodeForm(raw: string): string {
  const spaced = raw.includes('+') ? raw.replaceAll('+', ' ') : raw
  if (!spaced.includes('%')) return spaced
  try {
    return decodeURIComponent(spaced)
  } catch {
    throw matrixError('M_INVALID_PARAM', 'The query is not percent-encoded UTF-8.')
  }
}

/** Integers beyond the safe range saturate: what clients mean by 2^63-1 is "as much as there is". */
function parseInteger(value: string): number | undefined {
  if (!/^-?[0-9]{1,30}$/.test(value)) return undefined
  const parsed = Number(value)
  // `-0` is 0.
  return Math.min(Math.max(parsed, Number.MIN_SAFE_INTEGER), Number.MAX_SAFE_INTEGER) + 0
}

function invalid(name: string, must: string): never {
  throw matrixError('M_INVALID_PARAM', `The query parameter \`${name}\` must be ${must}.`)
}

function parseValue(name: string, shape: Shape, value: string): string | number | boolean {
  switch (shape.kind) {
    case 'integer':
      return parseInteger(value) ?? invalid(name, 'an integer')
    case 'number':
      return /^-?[0-9]{1,30}(\.[0-9]{1,30})?$/.test(value) ? Number(value) : invalid(name, 'a number')
    case 'boolean':
      return value === 'true' || value === 'false' ? value === 'true' : invalid(name, 'true or false')
    case 'values':
      return shape.values.includes(value) ? value : invalid(name, `one of ${shape.values.join(', ')}`)
    case 'id':
      return shape.id.parse(value) ?? invalid(name, shape.id.noun)
    default:
      return value
  }
}

function restOf(entries: ReturnType<typeof decodeQuery>, declared: Readonly<Record<string, QueryParameter>>) {
  const found: Record<string, string> = Object.create(null) as Record<string, string>
  for (const [name, value] of entries) {
    // `access_token` and `user_id` (application services) belong to the authentication of the request.
    if (name === 'access_token' || name === 'user_id' || Object.hasOwn(declared, name)) continue
    found[name] ??= value
  }
  return found
}

function valueOf(
  name: string,
  parameter: QueryParameter,
  entries: ReturnType<typeof decodeQuery>,
  declared: Readonly<Record<string, QueryParameter>>,
): QueryValue | undefined {
  if (parameter.kind === 'rest') return restOf(entries, declared)
  const values = entries.filter(([entry]) => entry === name).map(([, value]) => value)
  if (parameter.kind === 'many') return values.map((value) => parseValue(name, parameter.shape, value) as string)
  const [first] = values
  if (first !== undefined) return parseValue(name, parameter.shape, first)
  if (parameter.required) throw matrixError('M_MISSING_PARAM', `The query parameter \`${name}\` is missing.`)
  return parameter.otherwise
}

export function parseQuery(
  declared: Readonly<Record<string, QueryParameter>>,
  raw: string,
): Record<string, QueryValue> {
  const entries = decodeQuery(raw)
  const query: Record<string, QueryValue> = {}
  for (const name of Object.keys(declared)) {
    const value = valueOf(name, declared[name]!, entries, declared)
    if (value !== undefined) query[name] = value
  }
  return query
}
