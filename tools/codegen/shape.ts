/** Specification schemas (JSON schema in two dialects) reduced to the few shapes that request checking knows. */

import { isDict, textOf, type Dict, type Json } from './load.ts'

export type Brand = 'UserId' | 'RoomId' | 'EventId' | 'RoomAlias' | 'ServerName' | 'DeviceId' | 'RoomIdOrAlias'

export type Member = { readonly name: string; readonly shape: Shape; readonly required: boolean }

export type Shape =
  | { readonly kind: 'json' | 'integer' | 'number' | 'boolean' | 'null' | 'bytes' }
  | { readonly kind: 'string'; readonly brand?: Brand; readonly values?: readonly string[] }
  | { readonly kind: 'array'; readonly items: Shape }
  | { readonly kind: 'record'; readonly values: Shape; readonly keys?: Brand }
  | { readonly kind: 'object'; readonly members: readonly Member[]; readonly others?: Shape }
  | { readonly kind: 'union'; readonly of: readonly Shape[] }
  | { readonly kind: 'choice'; readonly member: string; readonly present: Shape; readonly absent: Shape }

const BRAND_OF_FORMAT: Readonly<Record<string, Brand>> = {
  'mx-user-id': 'UserId',
  'mx-room-id': 'RoomId',
  'mx-event-id': 'EventId',
  'mx-room-alias': 'RoomAlias',
  'mx-server-name': 'ServerName',
}

/** For the parameters and members that carry no format (all of 2018, some of today). */
const BRAND_OF_NAME: Readonly<Record<string, Brand>> = {
  userId: 'UserId',
  roomId: 'RoomId',
  eventId: 'EventId',
  roomAlias: 'RoomAlias',
  serverName: 'ServerName',
  deviceId: 'DeviceId',
  roomIdOrAlias: 'RoomIdOrAlias',
  user_id: 'UserId',
  room_id: 'RoomId',
  event_id: 'EventId',
  device_id: 'DeviceId',
  mxid: 'UserId',
}

export function brandOf(schema: Dict, name: string | undefined): Brand | undefined {
  const format = schema['format'] ?? schema['x-pattern-format']
  const byFormat = typeof format === 'string' ? BRAND_OF_FORMAT[format] : undefined
  return byFormat ?? (name === undefined ? undefined : BRAND_OF_NAME[name])
}

function dict(value: Json | undefined): Dict {
  return isDict(value) ? value : {}
}

/** `allOf` merged into its parent: later parts win, members and requirements add up. */
export function flatten(schema: Dict): Dict {
  const parts = schema['allOf']
  if (!Array.isArray(parts)) return schema
  const { allOf: _, ...own } = schema
  return parts.map((part) => flatten(dict(part))).reduceRight((merged, part) => overlay(part, merged), own)
}

function overlay(base: Dict, top: Dict): Dict {
  const merged: Dict = { ...base, ...top }
  if (isDict(base['properties']) || isDict(top['properties'])) {
    const properties: Dict = { ...dict(base['properties']) }
    for (const [name, value] of Object.entries(dict(top['properties']))) {
      const below = properties[name]
      properties[name] = isDict(below) && isDict(value) ? overlay(flatten(below), flatten(value)) : value
    }
    merged['properties'] = properties
  }
  const required = [base['required'], top['required']].flatMap((list) => (Array.isArray(list) ? list : []))
  if (required.length > 0) merged['required'] = [...new Set(required)]
  return merged
}

function stringShape(schema: Dict, name: string | undefined): Shape {
  const values = Array.isArray(schema['enum']) ? schema['enum'].filter((value) => typeof value === 'string') : []
  if (values.length > 0) return { kind: 'string', values }
  const brand = brandOf(schema, name)
  return brand === undefined ? { kind: 'string' } : { kind: 'string', brand }
}

function recordShape(schema: Dict): Shape | undefined {
  const [pattern] = Object.values(dict(schema['patternProperties']))
  if (isDict(pattern)) {
    const keys = brandOf(pattern, undefined)
    const { 'x-pattern-format': _, ...value } = pattern
    return { kind: 'record', values: toShape(value), ...(keys === undefined ? {} : { keys }) }
  }
  const additional = schema['additionalProperties']
  if (!isDict(additional)) return undefined
  const values = toShape(additional)
  return { kind: 'record', values }
}

function objectShape(schema: Dict): Shape {
  const required = Array.isArray(schema['required']) ? schema['required'] : []
  const record = recordShape(schema)
  const members = Object.entries(dict(schema['properties'])).map(([name, value]) => ({
    name,
    shape: toShape(dict(value), name),
    required: required.includes(name),
  }))
  if (members.length === 0) return record ?? { kind: 'record', values: { kind: 'json' } }
  const others = record?.kind === 'record' && record.keys === undefined ? record.values : undefined
  return others === undefined || others.kind === 'json'
    ? { kind: 'object', members }
    : { kind: 'object', members, others }
}

function unionShape(alternatives: readonly Shape[]): Shape {
  if (alternatives.some((shape) => shape.kind === 'json')) return { kind: 'json' }
  const distinct = new Map(alternatives.map((shape) => [JSON.stringify(shape), shape]))
  const [only] = distinct.values()
  return distinct.size === 1 && only !== undefined ? only : { kind: 'union', of: [...distinct.values()] }
}

function typedShape(type: string, schema: Dict, name: string | undefined): Shape {
  switch (type) {
    case 'string':
    case 'enum':
      return schema['format'] === 'byte' || schema['format'] === 'binary'
        ? { kind: 'bytes' }
        : stringShape(schema, name)
    case 'integer':
    case 'int':
      return { kind: 'integer' }
    case 'number':
      return schema['format'] === 'float' ? { kind: 'number' } : { kind: 'number' }
    case 'boolean':
    case 'null':
      return { kind: type }
    case 'array':
      return { kind: 'array', items: toShape(dict(schema['items'])) }
    case 'object':
      return objectShape(schema)
    case 'file':
      return { kind: 'bytes' }
    default:
      throw new Error(`unknown type ${type}`)
  }
}

/** The shape of a schema; `name` is the member or parameter that holds it. */
export function toShape(raw: Dict, name?: string): Shape {
  const schema = flatten(raw)
  const type = schema['type']
  if (Array.isArray(schema['oneOf'])) return unionShape(schema['oneOf'].map((part) => toShape(dict(part), name)))
  if (Array.isArray(type)) return unionShape(type.map((one) => typedShape(textOf(one), schema, name)))
  if (typeof type === 'string') return typedShape(type, schema, name)
  if (isDict(schema['properties']) || isDict(schema['patternProperties'])) return objectShape(schema)
  if (Array.isArray(schema['enum'])) return stringShape(schema, name)
  return { kind: 'json' }
}
