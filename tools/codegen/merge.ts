/** Joins both revisions into one operation per method and path. */

import { ABSENT_PARAMETERS, ANSWERED_BY, CHOSEN_BY_BODY, FURTHER_PATHS, FURTHER_QUERY } from './overrides.ts'
import { flatten } from './shape.ts'
import { isDict, type Dict } from './load.ts'
import type { SpecOperation, SpecParameter } from './revision.ts'

export type MergedOperation = Omit<SpecOperation, 'revision' | 'path'> & {
  readonly paths: readonly string[]
  /** What was merged, newest first. */
  readonly sources: readonly SpecOperation[]
  readonly chosenByBody: { readonly id: string; readonly member: string; readonly schema: Dict } | undefined
}

const positional = (path: string): string => path.replaceAll(/\{[^}]*\}/g, '{}')
const keyOf = (operation: SpecOperation): string => `${operation.method} ${positional(operation.path)}`
const nameOf = (operation: { api: string; id: string }): string => `${operation.api}/${operation.id}`

/** Whether every path that fits `special` also fits `general`. */
function covers(general: string, special: string): boolean {
  const a = general.split('/')
  const b = special.split('/')
  return a.length === b.length && a.every((segment, index) => segment === b[index] || segment.startsWith('{'))
}

/** The operation that an older one of another path is answered by. */
function successor(old: SpecOperation, newer: readonly SpecOperation[]): SpecOperation | undefined {
  const id = ANSWERED_BY[nameOf(old)] ?? old.id
  return newer.find((operation) => operation.api === old.api && operation.id === id && operation.method === old.method)
}

function group(current: readonly SpecOperation[], old: readonly SpecOperation[]): SpecOperation[][] {
  const groups = new Map<string, SpecOperation[]>()
  for (const operation of current) {
    const key = keyOf(operation)
    groups.set(key, [...(groups.get(key) ?? []), operation])
  }
  for (const operation of old) {
    const same = groups.get(keyOf(operation))
    const next = same === undefined ? successor(operation, current) : undefined
    const key = next === undefined ? keyOf(operation) : keyOf(next)
    groups.set(key, [...(groups.get(key) ?? []), operation])
  }
  return [...groups.values()]
}

function mergedQuery(sources: readonly SpecOperation[], name: string): SpecParameter[] {
  const found = new Map<string, SpecParameter>()
  const [first] = sources
  for (const source of sources) {
    for (const parameter of source.parameters.filter((one) => one.in === 'query')) {
      if (found.has(parameter.name)) continue
      // What only another source has cannot be required of everyone.
      found.set(parameter.name, source === first ? parameter : { ...parameter, required: false })
    }
  }
  for (const { name: further, type, format } of FURTHER_QUERY[name] ?? []) {
    const item: Dict = { type: 'string', ...(format === undefined ? {} : { format }) }
    const schema: Dict = type === 'array' ? { type: 'array', items: item } : item
    found.set(further, { name: further, in: 'query', required: false, schema, example: undefined })
  }
  return [...found.values()]
}

function mergedPathParameters(sources: readonly SpecOperation[]): SpecParameter[] {
  const found = new Map<string, SpecParameter>()
  const [first] = sources
  for (const source of sources) {
    const samePath = first !== undefined && positional(first.path) === positional(source.path)
    if (source !== first && samePath) continue
    for (const parameter of source.parameters.filter((one) => one.in === 'path')) {
      if (!found.has(parameter.name) && (source === first || parameter.name in ABSENT_PARAMETERS))
        found.set(parameter.name, parameter)
    }
  }
  return [...found.values()]
}

/** The newest body, and the members of older ones as optional members: they are tolerated, and typed. */
function mergedBody(sources: readonly SpecOperation[]): SpecOperation['body'] {
  const [newest, ...older] = sources.map((source) => source.body).filter((body) => body !== undefined)
  if (newest === undefined || newest.bytes) return newest
  const schema = flatten(newest.schema)
  const properties = isDict(schema['properties']) ? schema['properties'] : {}
  // A body without members is free content, and stays that.
  if (Object.keys(properties).length === 0) return newest
  const added: Dict = {}
  for (const body of older) {
    const before = flatten(body.schema)['properties']
    for (const [name, value] of Object.entries(isDict(before) ? before : {}))
      if (!(name in properties)) added[name] = value
  }
  return { ...newest, schema: { ...schema, properties: { ...properties, ...added } } }
}

function mergedPaths(sources: readonly SpecOperation[], name: string): string[] {
  const [first, ...rest] = sources
  const paths = [first!.path]
  for (const { path } of rest) if (!paths.some((known) => covers(known, path))) paths.push(path)
  return [...paths, ...(FURTHER_PATHS[name] ?? [])]
}

function mergeGroup(sources: readonly SpecOperation[]): MergedOperation {
  const chosen = sources.map((source) => CHOSEN_BY_BODY[nameOf(source)]).find((entry) => entry !== undefined)
  const other = chosen === undefined ? undefined : sources.find((source) => source.id === chosen.other)
  const main = sources.filter((source) => chosen === undefined || source.id !== chosen.other)
  const [first] = main
  if (first === undefined) throw new Error('empty group')
  const name = nameOf(first)
  return {
    ...first,
    paths: mergedPaths(main, name),
    parameters: [...mergedPathParameters(main), ...mergedQuery(main, name)],
    body: mergedBody(main),
    sources,
    chosenByBody:
      chosen === undefined || other?.body === undefined
        ? undefined
        : { id: chosen.other, member: chosen.member, schema: other.body.schema },
  }
}

export function mergeRevisions(current: readonly SpecOperation[], old: readonly SpecOperation[]): MergedOperation[] {
  // An operation that another one answers for never leads its group.
  const leads = current.toSorted((a, b) => Number(nameOf(a) in ANSWERED_BY) - Number(nameOf(b) in ANSWERED_BY))
  return group(leads, old).map(mergeGroup)
}
