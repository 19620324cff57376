/** Reads one revision of the specification (Swagger 2.0 of 2018 or OpenAPI 3.1) into one list of operations. */

import { readdirSync } from 'node:fs'
import { join } from 'node:path'
import { isDict, loadDocument, textOf, type Dict, type Json } from './load.ts'

export type Revision = '2018-08' | 'v1.19'

export type SpecParameter = {
  readonly name: string
  readonly in: 'path' | 'query'
  readonly required: boolean
  readonly schema: Dict
  readonly example: Json | undefined
}

export type SpecResponse = { readonly schema: Dict | undefined; readonly examples: readonly Json[] }

export type SpecOperation = {
  readonly revision: Revision
  readonly api: string
  readonly stem: string
  readonly id: string
  readonly method: string
  /** Base path and path, parameters in braces. */
  readonly path: string
  readonly parameters: readonly SpecParameter[]
  readonly body: { readonly schema: Dict; readonly bytes: boolean; readonly examples: readonly Json[] } | undefined
  readonly security: readonly string[]
  readonly deprecated: boolean
  readonly rateLimited: boolean
  readonly responses: Readonly<Record<string, SpecResponse>>
}

const METHODS = ['get', 'put', 'post', 'delete', 'options', 'head', 'patch']

function dict(value: Json | undefined): Dict {
  return isDict(value) ? value : {}
}

function basePath(document: Dict): string {
  const swagger = document['basePath']
  const [server] = Array.isArray(document['servers']) ? document['servers'] : []
  const base = swagger ?? dict(dict(dict(server)['variables'])['basePath'])['default']
  // Every client version prefix is written out later; in 2018 the major version was a placeholder.
  return textOf(base).replace('%CLIENT_MAJOR_VERSION%', 'v3')
}

function joined(base: string, path: string): string {
  return `${base}/${path.trim()}`.replaceAll(/\/{2,}/g, '/')
}

/** A parameter's schema: below `schema` in OpenAPI, the parameter itself in Swagger. */
function parameterOf(node: Json): SpecParameter | undefined {
  const raw = dict(node)
  if (raw['in'] !== 'path' && raw['in'] !== 'query') return undefined
  const schema = isDict(raw['schema']) ? raw['schema'] : raw
  return {
    name: textOf(raw['name']),
    in: raw['in'],
    required: raw['in'] === 'path' || raw['required'] === true,
    schema,
    example: raw['example'] ?? raw['x-example'] ?? schema['example'],
  }
}

function examplesOf(node: Dict, schema: Dict | undefined): Json[] {
  const found: Json[] = []
  if (node['example'] !== undefined) found.push(node['example'])
  for (const value of Object.values(dict(node['examples'])))
    found.push(isDict(value) && 'value' in value ? value['value']! : value)
  if (schema?.['example'] !== undefined) found.push(schema['example'])
  return found
}

function openApiBody(operation: Dict): SpecOperation['body'] {
  const body = operation['requestBody']
  if (!isDict(body)) return undefined
  const [entry] = Object.entries(dict(body['content']))
  if (entry === undefined) return undefined
  const media = dict(entry[1])
  const schema = dict(media['schema'])
  return { schema, bytes: entry[0] !== 'application/json', examples: examplesOf(media, schema) }
}

function swaggerBody(operation: Dict): SpecOperation['body'] {
  const list = Array.isArray(operation['parameters']) ? operation['parameters'] : []
  const parameter = list.map((node) => dict(node)).find((node) => node['in'] === 'body')
  if (parameter === undefined) return undefined
  const schema = dict(parameter['schema'])
  return { schema, bytes: schema['type'] === 'string', examples: examplesOf({}, schema) }
}

function responseOf(node: Dict): SpecResponse {
  if (isDict(node['content'])) {
    const media = dict(node['content']['application/json'])
    const schema = isDict(media['schema']) ? media['schema'] : undefined
    return { schema, examples: examplesOf(media, schema) }
  }
  const schema = isDict(node['schema']) ? node['schema'] : undefined
  const shown = dict(node['examples'])['application/json']
  return { schema, examples: [...(shown === undefined ? [] : [shown]), ...examplesOf({}, schema)] }
}

function securityOf(operation: Dict): string[] {
  const list = Array.isArray(operation['security']) ? operation['security'] : []
  return list.map((scheme) => Object.keys(dict(scheme))[0] ?? '')
}

function readOperation(
  where: { revision: Revision; api: string; stem: string },
  method: string,
  path: string,
  operation: Dict,
): SpecOperation {
  const parameters = (Array.isArray(operation['parameters']) ? operation['parameters'] : [])
    .map(parameterOf)
    .filter((parameter) => parameter !== undefined)
  const responses = Object.entries(dict(operation['responses'])).map(
    ([status, node]) => [status, responseOf(dict(node))] as const,
  )
  return {
    ...where,
    id: textOf(operation['operationId'] ?? ''),
    method: method.toUpperCase(),
    path,
    parameters,
    body: openApiBody(operation) ?? swaggerBody(operation),
    security: securityOf(operation),
    deprecated: operation['deprecated'] === true,
    rateLimited: responses.some(([status]) => status === '429'),
    responses: Object.fromEntries(responses),
  }
}

function readFile(folder: string, where: { revision: Revision; api: string; stem: string }): SpecOperation[] {
  const document = loadDocument(join(folder, `${where.stem}.yaml`))
  const base = basePath(document)
  return Object.entries(dict(document['paths'])).flatMap(([path, item]) =>
    Object.entries(dict(item))
      .filter(([method]) => METHODS.includes(method))
      .map(([method, operation]) => readOperation(where, method, joined(base, path), dict(operation))),
  )
}

export function readRevision(specFolder: string, revision: Revision): SpecOperation[] {
  const root = join(specFolder, revision, 'api')
  return readdirSync(root)
    .toSorted()
    .flatMap((api) =>
      readdirSync(join(root, api))
        .filter((name) => name.endsWith('.yaml'))
        .toSorted()
        .flatMap((name) => readFile(join(root, api), { revision, api, stem: name.slice(0, -'.yaml'.length) })),
    )
}
