/** What an operation reads from a request, with the overrides applied. */

import { textOf } from './load.ts'
import {
  ABSENT_PARAMETERS,
  ALSO_TAKEN,
  AUTH,
  DROPPED_QUERY,
  OPAQUE_BODIES,
  OPAQUE_MEMBERS,
  OPEN_VALUES,
  OPTIONAL_MEMBERS,
  OPTIONAL_QUERY,
  PARAMETER_VALUES,
  type Auth,
} from './overrides.ts'
import { quote } from './imports.ts'
import { toShape, type Shape } from './shape.ts'
import type { MergedOperation } from './merge.ts'
import type { SpecParameter } from './revision.ts'

const CLIENT_PREFIXES = ['r0', 'v1', 'v3']

export type PathParameter = {
  readonly name: string
  readonly shape: Shape
  /** The value on those paths that do not have the parameter; undefined if all have it. */
  readonly absent: string | undefined
}

export type QueryPart = {
  readonly name: string
  readonly kind: 'must' | 'may' | 'many' | 'rest'
  readonly shape: Shape
  /** The default, as source text. */
  readonly otherwise: string | undefined
}

function nameOf(operation: MergedOperation): string {
  return `${operation.api}/${operation.id}`
}

export function pathParameters(operation: MergedOperation): PathParameter[] {
  return operation.parameters
    .filter((parameter) => parameter.in === 'path')
    .map(({ name, schema }) => {
      const values = PARAMETER_VALUES[name]
      const everywhere = operation.paths.every((path) => path.includes(`{${name}}`))
      return {
        name,
        shape: values === undefined ? toShape(schema, name) : { kind: 'string', values },
        absent: everywhere ? undefined : (ABSENT_PARAMETERS[name] ?? ''),
      }
    })
}

function queryPart(parameter: SpecParameter, optional: boolean): QueryPart {
  const { name, schema } = parameter
  const shape = toShape(schema, name)
  if (shape.kind === 'array') return { name, kind: 'many', shape: shape.items, otherwise: undefined }
  if (shape.kind === 'record') return { name, kind: 'rest', shape: { kind: 'string' }, otherwise: undefined }
  if (parameter.required && !optional) return { name, kind: 'must', shape, otherwise: undefined }
  const value = schema['default']
  const otherwise = value === undefined ? undefined : typeof value === 'string' ? quote(value) : textOf(value)
  return { name, kind: 'may', shape, otherwise }
}

export function queryParts(operation: MergedOperation): QueryPart[] {
  const optional = OPTIONAL_QUERY[nameOf(operation)] ?? []
  return operation.parameters
    .filter((parameter) => parameter.in === 'query' && !DROPPED_QUERY.includes(parameter.name))
    .map((parameter) => queryPart(parameter, optional.includes(parameter.name)))
}

function opaque(shape: Shape): Shape {
  if (shape.kind === 'array') return { kind: 'array', items: { kind: 'json' } }
  return shape.kind === 'object' ? { kind: 'record', values: { kind: 'json' } } : { kind: 'json' }
}

/** The shape with the overrides for the operation applied; `path` says where in the body we are. */
function adjusted(shape: Shape, name: string, path = ''): Shape {
  const also = ALSO_TAKEN[name]?.[path]
  if (also === undefined) return adjustedBelow(shape, name, path)
  const other: Shape = also === 'object' ? { kind: 'record', values: { kind: 'json' } } : { kind: also }
  return { kind: 'union', of: [shape, other] }
}

function adjustedBelow(shape: Shape, name: string, path: string): Shape {
  if (shape.kind === 'record') return { ...shape, values: adjusted(shape.values, name, `${path}{}`) }
  if (shape.kind === 'array') return { kind: 'array', items: adjusted(shape.items, name, `${path}[]`) }
  if (shape.kind === 'string' && OPEN_VALUES[name]?.includes(path) === true) return { kind: 'string' }
  if (shape.kind !== 'object') return shape
  const members = shape.members.map((member) => {
    const below = path === '' ? member.name : `${path}.${member.name}`
    return {
      name: member.name,
      required: member.required && OPTIONAL_MEMBERS[name]?.includes(below) !== true,
      shape:
        OPAQUE_MEMBERS[name]?.includes(below) === true ? opaque(member.shape) : adjusted(member.shape, name, below),
    }
  })
  return { ...shape, members }
}

export function bodyShape(operation: MergedOperation): Shape | undefined {
  if (operation.body === undefined) return undefined
  if (operation.body.bytes) return { kind: 'bytes' }
  const name = nameOf(operation)
  if (OPAQUE_BODIES.includes(name)) return { kind: 'record', values: { kind: 'json' } }
  const shape = adjusted(toShape(operation.body.schema), name)
  const other = operation.chosenByBody
  if (other === undefined) return shape
  const present = adjusted(toShape(other.schema), `${operation.api}/${other.id}`)
  return { kind: 'choice', member: other.member, present, absent: shape }
}

const CREDENTIALS: Readonly<Record<string, string>> = {
  accessTokenBearer: 'access-token',
  accessToken: 'access-token',
  appserviceAccessTokenBearer: 'appservice-token',
  homeserverAccessToken: 'homeserver-token',
  signedRequest: 'server-signature',
}

function authOf(operation: MergedOperation): Auth {
  if (operation.security.length === 0) return 'none'
  return operation.security.includes('') ? 'optional' : 'required'
}

export function authentication(operation: MergedOperation): { auth: Auth; credential: string | undefined } {
  const auth = AUTH[nameOf(operation)] ?? authOf(operation)
  if (auth === 'none') return { auth, credential: undefined }
  if (operation.api === 'identity') return { auth, credential: 'identity-token' }
  const scheme = operation.security.find((name) => name !== '') ?? 'accessTokenBearer'
  const credential = CREDENTIALS[scheme]
  if (credential === undefined) throw new Error(`${operation.id}: unknown security scheme ${scheme}`)
  // Servers sign requests to servers only, whatever the data says of one client path.
  const misplaced = operation.api === 'client-server' && credential === 'server-signature'
  return { auth, credential: misplaced ? 'access-token' : credential }
}

/** Client and media paths answer under every version prefix; what the specification has on v1 only stays there. */
export function versionedPaths(operation: MergedOperation): string[] {
  return operation.paths.flatMap((path) => {
    const match = /^\/_matrix\/(client|media)\/v3\/(.*)$/.exec(path)
    return match === null ? [path] : CLIENT_PREFIXES.map((prefix) => `/_matrix/${match[1]}/${prefix}/${match[2]}`)
  })
}
