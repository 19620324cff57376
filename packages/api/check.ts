/** Checks JSON against a shape. The cost follows the value, and the depth is that of the shape, never that of the input. */

import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import type { IdKind, ObjectShape, Shape } from './shape.ts'

export type Problem = {
  readonly errcode: 'M_BAD_JSON' | 'M_INVALID_PARAM' | 'M_MISSING_PARAM'
  /** Outermost first. */
  readonly path: readonly (string | number)[]
  /** Completes the sentence that begins with the path. */
  readonly must: string
}

/** Names in messages come from the request; longer ones are cut. */
const NAME_CHARACTERS_MAX = 64

function wrongType(must: string): Problem {
  return { errcode: 'M_BAD_JSON', path: [], must }
}

function under(name: string | number, problem: Problem): Problem {
  return { ...problem, path: [name, ...problem.path] }
}

function checkId(id: IdKind, value: JsonValue): Problem | undefined {
  if (typeof value !== 'string') return wrongType('must be a string')
  if (id.parse(value) !== undefined) return undefined
  return { errcode: 'M_INVALID_PARAM', path: [], must: `must be ${id.noun}` }
}

function checkValues(values: readonly string[], value: JsonValue): Problem | undefined {
  if (typeof value !== 'string') return wrongType('must be a string')
  if (values.includes(value)) return undefined
  return {
    errcode: 'M_INVALID_PARAM',
    path: [],
    must: `must be ${values.length > 1 ? 'one of ' : ''}${values.join(', ')}`,
  }
}

function checkItems(items: Shape, value: JsonValue): Problem | undefined {
  if (!Array.isArray(value)) return wrongType('must be an array')
  if (items.kind === 'json') return undefined
  for (let index = 0; index < value.length; index += 1) {
    const problem = check(items, value[index])
    if (problem !== undefined) return under(index, problem)
  }
  return undefined
}

function checkRecord(values: Shape, keys: IdKind | undefined, value: JsonValue): Problem | undefined {
  if (!isObject(value)) return wrongType('must be an object')
  if (values.kind === 'json' && keys === undefined) return undefined
  for (const name of Object.keys(value)) {
    const problem = (keys === undefined ? undefined : checkId(keys, name)) ?? check(values, value[name])
    if (problem !== undefined) return under(name, problem)
  }
  return undefined
}

function checkOthers(shape: ObjectShape, others: Shape, value: JsonObject): Problem | undefined {
  for (const name of Object.keys(value)) {
    if (shape.required.includes(name) || shape.optional.includes(name)) continue
    const problem = check(others, value[name])
    if (problem !== undefined) return under(name, problem)
  }
  return undefined
}

function checkObject(shape: ObjectShape, value: JsonValue): Problem | undefined {
  if (!isObject(value)) return wrongType('must be an object')
  const { required, requiredShapes, optional, optionalShapes } = shape
  for (let index = 0; index < required.length; index += 1) {
    const name = required[index]!
    const member = value[name]
    const problem =
      member === undefined
        ? ({ errcode: 'M_MISSING_PARAM', path: [], must: 'is missing' } as const)
        : check(requiredShapes[index]!, member)
    if (problem !== undefined) return under(name, problem)
  }
  for (let index = 0; index < optional.length; index += 1) {
    const name = optional[index]!
    const member = value[name]
    if (member === undefined) continue
    const problem = check(optionalShapes[index]!, member)
    if (problem !== undefined) return under(name, problem)
  }
  return shape.others === undefined ? undefined : checkOthers(shape, shape.others, value)
}

const NOUNS: Readonly<Record<string, string>> = {
  null: 'null',
  boolean: 'true or false',
  integer: 'an integer',
  number: 'a number',
  string: 'a string',
  values: 'a string',
  id: 'a string',
  array: 'an array',
  record: 'an object',
  object: 'an object',
}

/** A value that fits no alternative: if one has its type, that one's problem says most. */
function checkUnion(alternatives: readonly Shape[], value: JsonValue): Problem | undefined {
  let deeper: Problem | undefined
  for (const shape of alternatives) {
    const problem = check(shape, value)
    if (problem === undefined) return undefined
    if (problem.path.length > 0 || problem.errcode === 'M_INVALID_PARAM') deeper ??= problem
  }
  return deeper ?? wrongType(`must be ${[...new Set(alternatives.map((shape) => NOUNS[shape.kind]))].join(' or ')}`)
}

/** undefined, or the first problem found. */
export function check(shape: Shape, value: JsonValue | undefined): Problem | undefined {
  if (value === undefined) return wrongType('is missing')
  switch (shape.kind) {
    case 'json':
      return undefined
    case 'string':
      return typeof value === 'string' ? undefined : wrongType('must be a string')
    case 'integer':
      return Number.isSafeInteger(value) ? undefined : wrongType('must be an integer between -2^53 and 2^53')
    case 'number':
      return typeof value === 'number' && Number.isFinite(value) ? undefined : wrongType('must be a number')
    case 'boolean':
      return typeof value === 'boolean' ? undefined : wrongType('must be true or false')
    case 'null':
      return value === null ? undefined : wrongType('must be null')
    case 'id':
      return checkId(shape.id, value)
    case 'values':
      return checkValues(shape.values, value)
    case 'array':
      return checkItems(shape.items, value)
    case 'record':
      return checkRecord(shape.values, shape.keys, value)
    case 'object':
      return checkObject(shape, value)
    case 'union':
      return checkUnion(shape.of, value)
    case 'choice':
      return check(isObject(value) && value[shape.member] !== undefined ? shape.present : shape.absent, value)
    default:
      return wrongType('must not be JSON')
  }
}

/** `content.users["@ann:example.org"]`: how a reader would write the path. */
export function pathText(path: readonly (string | number)[]): string {
  return path.reduce<string>((text, step) => {
    if (typeof step === 'number') return `${text}[${step}]`
    if (/^[A-Za-z_][A-Za-z0-9_]*$/.test(step) && step.length <= NAME_CHARACTERS_MAX)
      return text === '' ? step : `${text}.${step}`
    const shown = JSON.stringify(step.slice(0, NAME_CHARACTERS_MAX))
    return text === '' ? shown : `${text}[${shown}]`
  }, '')
}

/** A sentence for people. */
export function problemText(problem: Problem): string {
  return problem.path.length === 0 ? `The body ${problem.must}.` : `\`${pathText(problem.path)}\` ${problem.must}.`
}
