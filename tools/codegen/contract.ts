/** Writes what contract tests need and servers do not: response schemas for ajv, and the specification's examples. */

import { isDict, type Dict, type Json } from './load.ts'
import type { MergedOperation } from './merge.ts'
import type { SpecOperation } from './revision.ts'

/** Schema keywords that say something about values; the rest is prose or belongs to other tools. */
const KEYWORDS = new Set([
  'type',
  'enum',
  'pattern',
  'required',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
])
const SCHEMA_MAPS = new Set(['properties', 'patternProperties'])
const SCHEMA_LISTS = new Set(['allOf', 'oneOf'])
/** Types that the data writes its own way. */
const TYPES: Readonly<Record<string, string>> = { enum: 'string', int: 'integer' }

function typeKeyword(type: Json): Json {
  return typeof type === 'string' ? (TYPES[type] ?? type) : type
}

function schemaPart(key: string, value: Json): Json | undefined {
  if (key === 'type') return typeKeyword(value)
  if (key === 'enum' || key === 'required') return Array.isArray(value) && value.length > 0 ? value : undefined
  if (KEYWORDS.has(key)) return value
  if (SCHEMA_MAPS.has(key) && isDict(value)) {
    return Object.fromEntries(Object.entries(value).map(([name, schema]) => [name, validationSchema(schema)]))
  }
  if (SCHEMA_LISTS.has(key) && Array.isArray(value)) return value.map(validationSchema)
  if ((key === 'items' || key === 'additionalProperties' || key === 'propertyNames') && isDict(value))
    return validationSchema(value)
  return key === 'additionalProperties' && typeof value === 'boolean' ? value : undefined
}

export function validationSchema(schema: Json): Json {
  if (!isDict(schema)) return schema
  if (schema['type'] === 'file') return {}
  const parts = Object.entries(schema).map(([key, value]) => [key, schemaPart(key, value)] as const)
  return Object.fromEntries(parts.filter((part): part is [string, Json] => part[1] !== undefined))
}

/** Examples are composed with `allOf`, like schemas. */
export function exampleValue(node: Json): Json {
  if (Array.isArray(node)) return node.map(exampleValue)
  if (!isDict(node)) return node
  const parts = Array.isArray(node['allOf']) ? node['allOf'].map(exampleValue).filter(isDict) : []
  const own = Object.entries(node).filter(([key]) => !(key === 'allOf' && parts.length > 0))
  return Object.assign({}, ...parts, Object.fromEntries(own.map(([key, value]) => [key, exampleValue(value)]))) as Dict
}

function parameterExamples(source: SpecOperation, place: 'path' | 'query'): Dict {
  const examples: Dict = {}
  for (const parameter of source.parameters)
    if (parameter.in === place && parameter.example !== undefined) examples[parameter.name] = parameter.example
  return examples
}

function sourceContract(source: SpecOperation): Dict {
  const responses = Object.entries(source.responses).map(([status, { schema, examples }]) => [
    status,
    { ...(schema === undefined ? {} : { schema: validationSchema(schema) }), examples: examples.map(exampleValue) },
  ])
  return {
    revision: source.revision,
    method: source.method,
    path: source.path,
    params: parameterExamples(source, 'path'),
    query: parameterExamples(source, 'query'),
    bodies: source.body === undefined || source.body.bytes ? [] : source.body.examples.map(exampleValue),
    responses: Object.fromEntries(responses),
  }
}

/** Operation id → what each revision says of it, newest first. */
export function emitContract(operations: readonly MergedOperation[]): string {
  const contracts = operations.map((operation) => [operation.id, operation.sources.map(sourceContract)])
  return `${JSON.stringify(Object.fromEntries(contracts), undefined, 1)}\n`
}
