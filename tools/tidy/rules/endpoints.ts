/**
 * One endpoint file per generated file, of the same name; what is generated and has no endpoint stands in one list
 * that may only shrink, tools/missing-operations.json.
 */
import { posix } from 'node:path'
import { type Finding, type Repository, type SourceFile } from '../repository.ts'

export const MISSING_PATH = 'tools/missing-operations.json'

/** Where each API that we serve is served. The application service API is one that we call. */
export const SERVED: Readonly<Record<string, string>> = {
  'client-server': 'packages/homeserver/client-server',
  'server-server': 'packages/homeserver/server-server',
  identity: 'packages/identity',
  'push-gateway': 'packages/push-gateway',
}

const GENERATED_OPERATION = /^export const (\w+): Operation</gm
const GENERATED_IMPORT = /(?:^@holdfast\/api\/generated|\/api\/generated)\/([\w-]+)\/([\w-]+)$/

/** `<api>/<stem>` → operation ids. */
export type Operations = ReadonlyMap<string, readonly string[]>
export type MissingList = Readonly<Record<string, readonly string[]>>

export function generatedOperations(repository: Repository): Operations {
  const found = new Map<string, readonly string[]>()
  for (const path of repository.paths) {
    const match = /^packages\/api\/generated\/([\w-]+)\/([\w-]+)\.ts$/.exec(path)
    if (match === null || SERVED[match[1] ?? ''] === undefined) continue
    const ids = [...(repository.read(path) ?? '').matchAll(GENERATED_OPERATION)].map(([, id]) => id ?? '')
    if (ids.length > 0) found.set(`${match[1]}/${match[2]}`, ids.toSorted())
  }
  return found
}

type Route = { readonly file: SourceFile; readonly line: number; readonly key: string; readonly id: string }

const ROUTE_FUNCTIONS = new Set(['route', 'publicRoute', 'federationRoute', 'openRoute'])

/** Every `route(module.operation, …)`, `publicRoute(operation, …)` and so on, whose operation comes from a generated file. */
function routes(repository: Repository): Route[] {
  return repository.sources
    .filter(({ isTest, path }) => !isTest && path.startsWith('packages/'))
    .flatMap((file) => fileRoutes(file))
}

function fileRoutes(file: SourceFile): Route[] {
  const sources = file.imports.flatMap(({ specifier, names }) => {
    const match = GENERATED_IMPORT.exec(specifier)
    return match === null ? [] : [{ key: `${match[1]}/${match[2]}`, names: names.map(({ name }) => name) }]
  })
  return file.tokens.flatMap((token, index) => {
    const named = ROUTE_FUNCTIONS.has(token.text) ? routedOperation(file, index) : undefined
    const source = sources.find(
      ({ key, names }) => names.includes(named?.id ?? '') || (names.includes('*') && isNamespaceOf(file, named, key)),
    )
    return named === undefined || source === undefined
      ? []
      : [{ file, line: token.line, key: source.key, id: named.id }]
  })
}

type NamedOperation = { readonly namespace: string | undefined; readonly id: string }

/** What is handed to a route function, also by way of `const operation: typeof namespace.id = { … }`. */
function routedOperation({ tokens, text }: SourceFile, index: number): NamedOperation | undefined {
  const first = tokens[index + 2]
  if (tokens[index + 1]?.text !== '(' || first?.kind !== 'word') return undefined
  if (tokens[index + 3]?.text === '.') return { namespace: first.text, id: tokens[index + 4]?.text ?? '' }
  const varied = new RegExp(`^const ${first.text}: typeof (\\w+)\\.(\\w+) =`, 'm').exec(text)
  return varied === null ? { namespace: undefined, id: first.text } : { namespace: varied[1], id: varied[2] ?? '' }
}

/** Whether the operation is named by way of an import of that generated file as a namespace. */
function isNamespaceOf(file: SourceFile, named: NamedOperation | undefined, key: string): boolean {
  const { namespace } = named ?? {}
  return namespace !== undefined && file.text.includes(`import * as ${namespace} from '@holdfast/api/generated/${key}'`)
}

export function missingOperations(repository: Repository): MissingList {
  const served = new Set(routes(repository).map(({ key, id }) => `${key} ${id}`))
  const missing = [...generatedOperations(repository)].map(
    ([key, ids]) => [key, ids.filter((id) => !served.has(`${key} ${id}`))] as const,
  )
  return Object.fromEntries(missing.filter(([, ids]) => ids.length > 0))
}

export function checkEndpoints(repository: Repository): Finding[] {
  return [...placeFindings(repository), ...listFindings(repository)]
}

function placeFindings(repository: Repository): Finding[] {
  const seen = new Map<string, string>()
  return routes(repository).flatMap(({ file, line, key, id }) => {
    const [api = '', stem = ''] = key.split('/')
    const expected = `${SERVED[api] ?? api}/${stem}.ts`
    if (file.path !== expected)
      return [finding(file.path, line, `${id} belongs in ${expected}, named as the file that defines it`)]
    const first = seen.get(`${key} ${id}`)
    if (first !== undefined) return [finding(file.path, line, `${id} has an endpoint already (${first})`)]
    seen.set(`${key} ${id}`, `${posix.basename(file.path)}:${line}`)
    return []
  })
}

function listFindings(repository: Repository): Finding[] {
  const listed = readMissing(repository)
  const missing = missingOperations(repository)
  const keys = [...new Set([...Object.keys(listed), ...Object.keys(missing)])].toSorted()
  return keys.flatMap((key) => [
    ...without(missing[key], listed[key]).map((id) =>
      finding(MISSING_PATH, 1, `${key} ${id} has no endpoint (and the list may not grow)`),
    ),
    ...servedButListed(key, without(listed[key], missing[key])),
  ])
}

function servedButListed(key: string, ids: readonly string[]): Finding[] {
  if (ids.length === 0) return []
  const message = `${key} ${ids.join(', ')}: listed and not missing ("npm run tidy -- --update" takes it off)`
  return [finding(MISSING_PATH, 1, message)]
}

function without(list: readonly string[] = [], others: readonly string[] = []): string[] {
  return list.filter((id) => !others.includes(id))
}

function finding(path: string, line: number, message: string): Finding {
  return { path, line, rule: 'endpoint', message }
}

export function readMissing(repository: Repository): MissingList {
  return JSON.parse(repository.read(MISSING_PATH) ?? '{}') as MissingList
}

/** The list after work was done: what has an endpoint now is taken off. Nothing is added. */
export function shrinkMissing(repository: Repository): MissingList {
  const missing = missingOperations(repository)
  const kept = Object.entries(readMissing(repository)).map(
    ([key, ids]) => [key, ids.filter((id) => missing[key]?.includes(id) === true)] as const,
  )
  return Object.fromEntries(kept.filter(([, ids]) => ids.length > 0))
}
