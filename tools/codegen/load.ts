/** Reads specification files and expands every `$ref`, so that what follows sees plain trees. */

import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { parse } from 'yaml'

export type Json = string | number | boolean | null | Json[] | { [key: string]: Json }
export type Dict = { [key: string]: Json }

const files = new Map<string, Json>()

function readYaml(file: string): Json {
  let document = files.get(file)
  if (document === undefined) {
    document = parse(readFileSync(file, 'utf8'), { uniqueKeys: false }) as Json
    files.set(file, document)
  }
  return document
}

export function isDict(value: Json | undefined): value is Dict {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** In 2018 `definitions/event-schemas` was a symbolic link; the link arrives as a small file that holds its target. */
function target(from: string, reference: string): string {
  const linked = reference.replace(/^definitions\/event-schemas\//, '../../event-schemas/')
  if (linked !== reference && from.includes('2018-08/api/client-server')) return join(dirname(from), linked)
  const direct = join(dirname(from), reference).replace(
    '2018-08/api/client-server/definitions/event-schemas/',
    '2018-08/event-schemas/',
  )
  // Some examples name their parts relative to the folder of examples.
  return existsSync(direct) ? direct : join(dirname(from), 'examples', reference)
}

function pointer(document: Json, path: string): Json {
  let node = document
  for (const step of path.split('/').slice(1)) {
    const next = isDict(node) ? node[step] : undefined
    if (next === undefined) throw new Error(`no ${path} in document`)
    node = next
  }
  return node
}

function followReference(node: Dict, file: string, stack: readonly string[]): Json {
  const reference = node['$ref'] as string
  const [path = '', fragment = ''] = reference.split('#')
  const nextFile = path === '' ? file : target(file, path)
  const key = `${nextFile}#${fragment}`
  // A schema that contains itself (an event in the unsigned data of an event) is cut where it repeats.
  if (stack.includes(key)) return {}
  const resolved = expand(pointer(readYaml(nextFile), fragment), nextFile, [...stack, key])
  const { $ref: _, ...beside } = node
  if (!isDict(resolved) || Object.keys(beside).length === 0) return resolved
  return { ...resolved, ...(expand(beside, file, stack) as Dict) }
}

/** The node with all references replaced. Examples are left alone: a `$ref` there names a shared example file. */
export function expand(node: Json, file: string, stack: readonly string[] = []): Json {
  if (Array.isArray(node)) return node.map((item) => expand(item, file, stack))
  if (!isDict(node)) return node
  if (typeof node['$ref'] === 'string') return followReference(node, file, stack)
  return Object.fromEntries(Object.entries(node).map(([key, value]) => [key, expand(value, file, stack)]))
}

export function loadDocument(file: string): Dict {
  return expand(readYaml(file), file) as Dict
}

/** The text of a scalar. */
export function textOf(value: Json | undefined): string {
  if (value === undefined || typeof value === 'object') throw new Error('a scalar is missing in the specification data')
  return String(value)
}
