/** Writes one generated file: types for people, shapes for the checks. */

import {
  AUTH,
  ABSENT_PARAMETERS,
  DROPPED_QUERY,
  GUESTS,
  OPAQUE_BODIES,
  OPAQUE_MEMBERS,
  OPEN_VALUES,
  OPTIONAL_MEMBERS,
  OPTIONAL_QUERY,
  PARAMETER_VALUES,
  type Auth,
} from './overrides.ts'
import { toShape, type Brand, type Shape } from './shape.ts'
import { textOf } from './load.ts'
import type { MergedOperation } from './merge.ts'
import type { SpecParameter } from './revision.ts'

const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/
const CLIENT_PREFIXES = ['r0', 'v1', 'v3']
const BRAND_SHAPES: Readonly<Record<Brand, string>> = {
  UserId: 'userId',
  RoomId: 'roomId',
  EventId: 'eventId',
  RoomAlias: 'roomAlias',
  ServerName: 'serverName',
  DeviceId: 'deviceId',
  RoomIdOrAlias: 'roomIdOrAlias',
}

/** What a file needs to import, collected while it is written. */
type Imports = {
  readonly brands: Set<string>
  readonly json: Set<string>
  readonly shapes: Set<string>
  readonly identifiers: Set<string>
  readonly query: Set<string>
  readonly operation: Set<string>
}

const quote = (text: string): string => `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
const property = (name: string): string => (IDENTIFIER.test(name) ? name : quote(name))
const pascal = (id: string): string =>
  id
    .split('_')
    .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
    .join('')

function brandType(brand: Brand, imports: Imports): string {
  const names = brand === 'RoomIdOrAlias' ? ['RoomId', 'RoomAlias'] : [brand]
  for (const name of names) imports.brands.add(name)
  return names.join(' | ')
}

function objectType(shape: Extract<Shape, { kind: 'object' }>, imports: Imports, indent: string): string {
  const inner = `${indent}  `
  const lines = shape.members.map(
    ({ name, shape: member, required }) =>
      `${inner}readonly ${property(name)}${required ? '' : '?'}: ${typeOf(member, imports, inner)}`,
  )
  return `{\n${lines.join('\n')}\n${indent}}`
}

function recordType(shape: Extract<Shape, { kind: 'record' }>, imports: Imports, indent: string): string {
  if (shape.values.kind === 'json' && shape.keys === undefined) {
    imports.json.add('JsonObject')
    return 'JsonObject'
  }
  const key = shape.keys === undefined ? 'string' : brandType(shape.keys, imports)
  return `Readonly<Record<${key}, ${typeOf(shape.values, imports, indent)}>>`
}

/** In parentheses, where `[]` behind it would bind to its last part only. */
function grouped(type: string): string {
  return type.startsWith('readonly ') || (type.includes(' | ') && !type.startsWith('{')) ? `(${type})` : type
}

function typeOf(shape: Shape, imports: Imports, indent = ''): string {
  switch (shape.kind) {
    case 'json':
      imports.json.add('JsonValue')
      return 'JsonValue'
    case 'integer':
    case 'number':
      return 'number'
    case 'boolean':
    case 'null':
      return shape.kind
    case 'bytes':
      return 'Uint8Array'
    case 'string':
      if (shape.values !== undefined) return shape.values.map(quote).join(' | ')
      return shape.brand === undefined ? 'string' : brandType(shape.brand, imports)
    case 'array': {
      const items = typeOf(shape.items, imports, indent)
      return `readonly ${grouped(items)}[]`
    }
    case 'record':
      return recordType(shape, imports, indent)
    case 'object':
      return objectType(shape, imports, indent)
    case 'union':
      return shape.of.map((one) => typeOf(one, imports, indent)).join(' | ')
    default:
      return `${typeOf(shape.present, imports, indent)} | ${typeOf(shape.absent, imports, indent)}`
  }
}

function call(name: string, parts: readonly string[], imports: Imports): string {
  imports.shapes.add(name)
  return `${name}(${parts.join(', ')})`
}

function leaf(name: string, imports: Imports): string {
  imports.shapes.add(name)
  return name
}

function brandValue(brand: Brand, imports: Imports): string {
  imports.identifiers.add(BRAND_SHAPES[brand])
  return BRAND_SHAPES[brand]
}

function membersValue(members: readonly { name: string; shape: Shape }[], imports: Imports, indent: string): string {
  if (members.length === 0) return '{}'
  const inner = `${indent}  `
  const lines = members.map(({ name, shape }) => `${inner}${property(name)}: ${valueOf(shape, imports, inner)},`)
  return `{\n${lines.join('\n')}\n${indent}}`
}

function objectValue(shape: Extract<Shape, { kind: 'object' }>, imports: Imports, indent: string): string {
  const required = membersValue(
    shape.members.filter((member) => member.required),
    imports,
    indent,
  )
  const optional = membersValue(
    shape.members.filter((member) => !member.required),
    imports,
    indent,
  )
  const parts = [required, optional, ...(shape.others === undefined ? [] : [valueOf(shape.others, imports, indent)])]
  if (parts.length === 2 && optional === '{}') parts.pop()
  return call('object', parts, imports)
}

function valueOf(shape: Shape, imports: Imports, indent: string): string {
  switch (shape.kind) {
    case 'string':
      if (shape.values !== undefined) return call('oneOf', shape.values.map(quote), imports)
      return shape.brand === undefined ? leaf('text', imports) : brandValue(shape.brand, imports)
    case 'null':
      return leaf('nothing', imports)
    case 'array':
      return call('array', [valueOf(shape.items, imports, indent)], imports)
    case 'record': {
      if (shape.values.kind === 'json' && shape.keys === undefined) return leaf('jsonObject', imports)
      const keys = shape.keys === undefined ? [] : [brandValue(shape.keys, imports)]
      return call('record', [valueOf(shape.values, imports, indent), ...keys], imports)
    }
    case 'object':
      return objectValue(shape, imports, indent)
    case 'union':
      return call(
        'union',
        shape.of.map((one) => valueOf(one, imports, indent)),
        imports,
      )
    case 'choice':
      return call(
        'choice',
        [quote(shape.member), valueOf(shape.present, imports, indent), valueOf(shape.absent, imports, indent)],
        imports,
      )
    default:
      return leaf(shape.kind, imports)
  }
}

type QueryPart = {
  readonly name: string
  readonly kind: 'must' | 'may' | 'many' | 'rest'
  readonly shape: Shape
  readonly otherwise: string | undefined
}

function queryPart(parameter: SpecParameter, optional: boolean): QueryPart {
  const shape = toShape(parameter.schema, parameter.name)
  const { name, schema } = parameter
  if (shape.kind === 'array') return { name, kind: 'many', shape: shape.items, otherwise: undefined }
  if (shape.kind === 'record') return { name, kind: 'rest', shape: { kind: 'string' }, otherwise: undefined }
  if (parameter.required && !optional) return { name, kind: 'must', shape, otherwise: undefined }
  const otherwise = schema['default']
  return {
    name,
    kind: 'may',
    shape,
    otherwise:
      otherwise === undefined ? undefined : typeof otherwise === 'string' ? quote(otherwise) : textOf(otherwise),
  }
}

function queryType(part: QueryPart, imports: Imports): string {
  const type = typeOf(part.shape, imports)
  if (part.kind === 'many') return `  readonly ${property(part.name)}: readonly ${grouped(type)}[]`
  if (part.kind === 'rest') return `  readonly ${property(part.name)}: Readonly<Record<string, string>>`
  return `  readonly ${property(part.name)}${part.kind === 'may' && part.otherwise === undefined ? '?' : ''}: ${type}`
}

function queryValue(part: QueryPart, imports: Imports): string {
  imports.query.add(part.kind)
  const parts = [valueOf(part.shape, imports, '    '), ...(part.otherwise === undefined ? [] : [part.otherwise])]
  return `    ${property(part.name)}: ${part.kind}(${parts.join(', ')}),`
}

function bodyShape(operation: MergedOperation): Shape | undefined {
  if (operation.body === undefined) return undefined
  if (operation.body.bytes) return { kind: 'bytes' }
  const name = `${operation.api}/${operation.id}`
  if (OPAQUE_BODIES.includes(name)) return { kind: 'record', values: { kind: 'json' } }
  const shape = adjusted(toShape(operation.body.schema), name)
  const chosen = operation.chosenByBody
  return chosen === undefined
    ? shape
    : {
        kind: 'choice',
        member: chosen.member,
        present: adjusted(toShape(chosen.schema), `${operation.api}/${chosen.id}`),
        absent: shape,
      }
}

/** The shape with the overrides for the operation applied; `path` says where in the body we are. */
function adjusted(shape: Shape, name: string, path = ''): Shape {
  if (shape.kind === 'array') return { kind: 'array', items: adjusted(shape.items, name, `${path}[]`) }
  if (shape.kind === 'string' && OPEN_VALUES[name]?.includes(path)) return { kind: 'string' }
  if (shape.kind !== 'object') return shape
  const members = shape.members.map((member) => {
    const below = path === '' ? member.name : `${path}.${member.name}`
    return {
      ...member,
      required: member.required && OPTIONAL_MEMBERS[name]?.includes(below) !== true,
      shape: OPAQUE_MEMBERS[name]?.includes(below) ? opaque(member.shape) : adjusted(member.shape, name, below),
    }
  })
  return { ...shape, members }
}

function opaque(shape: Shape): Shape {
  if (shape.kind === 'array') return { kind: 'array', items: { kind: 'json' } }
  return shape.kind === 'object' ? { kind: 'record', values: { kind: 'json' } } : { kind: 'json' }
}

const CREDENTIALS: Readonly<Record<string, string>> = {
  accessTokenBearer: 'access-token',
  accessTokenQuery: 'access-token',
  accessToken: 'access-token',
  appserviceAccessTokenBearer: 'appservice-token',
  appserviceAccessTokenQuery: 'appservice-token',
  homeserverAccessToken: 'homeserver-token',
  signedRequest: 'server-signature',
}

function authOf(operation: MergedOperation): { auth: Auth; credential: string | undefined } {
  const auth =
    AUTH[`${operation.api}/${operation.id}`] ??
    (operation.security.length === 0 ? 'none' : operation.security.includes('') ? 'optional' : 'required')
  if (auth === 'none') return { auth, credential: undefined }
  const scheme = operation.security.find((name) => name !== '') ?? 'accessTokenBearer'
  const credential = operation.api === 'identity' ? 'identity-token' : CREDENTIALS[scheme]
  if (credential === undefined) throw new Error(`${operation.id}: unknown security scheme ${scheme}`)
  const client = operation.api === 'client-server' && credential === 'server-signature'
  return { auth, credential: client ? 'access-token' : credential }
}

/** Client and media paths answer under every version prefix; what the specification has on v1 only stays there. */
export function versionedPaths(path: string): string[] {
  const match = /^\/_matrix\/(client|media)\/v3\/(.*)$/.exec(path)
  return match === null ? [path] : CLIENT_PREFIXES.map((prefix) => `/_matrix/${match[1]}/${prefix}/${match[2]}`)
}

function paramShape(parameter: SpecParameter): Shape {
  const values = PARAMETER_VALUES[parameter.name]
  return values === undefined ? toShape(parameter.schema, parameter.name) : { kind: 'string', values }
}

function namedType(name: string, lines: readonly string[]): string {
  return `export type ${name} = {\n${lines.join('\n')}\n}\n`
}

function emitOperation(operation: MergedOperation, imports: Imports): string {
  const { id, api } = operation
  const named = pascal(id)
  const types: string[] = []
  const params = operation.parameters
    .filter((one) => one.in === 'path')
    .map((one) => ({ name: one.name, shape: paramShape(one) }))
  const query = operation.parameters
    .filter((one) => one.in === 'query' && !DROPPED_QUERY.includes(one.name))
    .map((one) => queryPart(one, (OPTIONAL_QUERY[`${api}/${id}`] ?? []).includes(one.name)))
  const body = bodyShape(operation)

  const paramsType = params.length === 0 ? 'NoParams' : `${named}Params`
  if (params.length > 0)
    types.push(
      namedType(
        paramsType,
        params.map(({ name, shape }) => `  readonly ${property(name)}: ${typeOf(shape, imports)}`),
      ),
    )
  else imports.operation.add('NoParams')
  const queryName = query.length === 0 ? 'NoQuery' : `${named}Query`
  if (query.length > 0)
    types.push(
      namedType(
        queryName,
        query.map((part) => queryType(part, imports)),
      ),
    )
  else imports.operation.add('NoQuery')
  let bodyType = body === undefined ? 'NoBody' : typeOf(body, imports)
  if (body === undefined) imports.operation.add('NoBody')
  if (body?.kind === 'object' || body?.kind === 'choice') {
    types.push(`export type ${named}Body = ${bodyType}\n`)
    bodyType = `${named}Body`
  }

  const paths = operation.paths.flatMap(versionedPaths)
  const { auth, credential } = authOf(operation)
  const absent = params.filter(
    ({ name }) => name in ABSENT_PARAMETERS && operation.paths.some((path) => !path.includes(`{${name}}`)),
  )
  const queryLines = query.map((part) => queryValue(part, imports))
  const revisions = [...new Set(operation.sources.map((source) => source.revision))].toSorted()
  const lines = [
    `export const ${id}: Operation<${paramsType}, ${queryName}, ${bodyType}> = operation({`,
    `  id: ${quote(id)},`,
    `  stem: ${quote(operation.stem)},`,
    `  api: ${quote(api)},`,
    `  method: ${quote(operation.method)},`,
    `  paths: [\n${paths.map((path) => `    ${quote(path)},`).join('\n')}\n  ],`,
    `  auth: ${quote(auth)},`,
    `  credential: ${credential === undefined ? 'undefined' : quote(credential)},`,
    `  guests: ${api === 'client-server' && GUESTS.includes(id)},`,
    `  rateLimited: ${operation.rateLimited},`,
    `  deprecated: ${operation.deprecated},`,
    `  revisions: [${revisions.map(quote).join(', ')}],`,
    `  params: ${membersValue(params, imports, '  ')},`,
    `  absent: ${absent.length === 0 ? '{}' : `{ ${absent.map(({ name }) => `${name}: ${quote(ABSENT_PARAMETERS[name] ?? '')}`).join(', ')} }`},`,
    `  query: ${queryLines.length === 0 ? '{}' : `{\n${queryLines.join('\n')}\n  }`},`,
    `  body: ${body === undefined ? 'undefined' : valueOf(body, imports, '  ')},`,
    '})\n',
  ]
  return [...types, lines.join('\n')].join('\n')
}

function importLine(names: Set<string>, from: string, keyword = 'import'): string[] {
  return names.size === 0 ? [] : [`${keyword} { ${[...names].toSorted().join(', ')} } from '${from}'`]
}

/** One file for all operations of one specification file. */
export function emitFile(operations: readonly MergedOperation[]): string {
  const imports: Imports = {
    brands: new Set(),
    json: new Set(),
    shapes: new Set(),
    identifiers: new Set(),
    query: new Set(),
    operation: new Set(['Operation']),
  }
  const written = operations.map((operation) => emitOperation(operation, imports))
  const header = [
    '// Generated by tools/codegen.ts from the data of the Matrix specification (see NOTICE). Do not edit.',
    '',
    ...importLine(imports.brands, '@holdfast/protocol/ids/brand', 'import type'),
    ...importLine(imports.json, '@holdfast/protocol/json/value', 'import type'),
    ...importLine(imports.identifiers, '../../identifiers.ts'),
    `import { operation, ${[...imports.operation]
      .toSorted()
      .map((name) => `type ${name}`)
      .join(', ')} } from '../../operation.ts'`,
    ...importLine(imports.query, '../../query.ts'),
    ...importLine(imports.shapes, '../../shape.ts'),
  ]
  return `${header.join('\n')}\n\n${written.join('\n')}`
}
