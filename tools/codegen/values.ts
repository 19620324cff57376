/** Shapes as expressions that build them at run time (packages/api/shape.ts). */

import { property, quote, type Imports } from './imports.ts'
import type { Brand, Shape } from './shape.ts'

const BRAND_SHAPES: Readonly<Record<Brand, string>> = {
  UserId: 'userId',
  RoomId: 'roomId',
  EventId: 'eventId',
  RoomAlias: 'roomAlias',
  ServerName: 'serverName',
  DeviceId: 'deviceId',
  RoomIdOrAlias: 'roomIdOrAlias',
}

function leaf(name: string, imports: Imports): string {
  imports.shapes.add(name)
  return name
}

function call(name: string, parts: readonly string[], imports: Imports): string {
  return `${leaf(name, imports)}(${parts.join(', ')})`
}

function brandValue(brand: Brand, imports: Imports): string {
  imports.identifiers.add(BRAND_SHAPES[brand])
  return BRAND_SHAPES[brand]
}

/** An object literal of shapes. */
export function membersValue(
  members: readonly { readonly name: string; readonly shape: Shape }[],
  imports: Imports,
  indent: string,
): string {
  if (members.length === 0) return '{}'
  const inner = `${indent}  `
  const lines = members.map(({ name, shape }) => `${inner}${property(name)}: ${valueOf(shape, imports, inner)},`)
  return `{\n${lines.join('\n')}\n${indent}}`
}

function objectValue(shape: Extract<Shape, { kind: 'object' }>, imports: Imports, indent: string): string {
  const [required, optional] = [true, false].map((wanted) =>
    membersValue(
      shape.members.filter((member) => member.required === wanted),
      imports,
      indent,
    ),
  ) as [string, string]
  if (shape.others !== undefined) {
    return call('object', [required, optional, valueOf(shape.others, imports, indent)], imports)
  }
  return call('object', optional === '{}' ? [required] : [required, optional], imports)
}

function recordValue(shape: Extract<Shape, { kind: 'record' }>, imports: Imports, indent: string): string {
  if (shape.values.kind === 'json' && shape.keys === undefined) return leaf('jsonObject', imports)
  const keys = shape.keys === undefined ? [] : [brandValue(shape.keys, imports)]
  return call('record', [valueOf(shape.values, imports, indent), ...keys], imports)
}

function stringValue(shape: Extract<Shape, { kind: 'string' }>, imports: Imports): string {
  if (shape.values !== undefined) return call('oneOf', shape.values.map(quote), imports)
  return shape.brand === undefined ? leaf('text', imports) : brandValue(shape.brand, imports)
}

export function valueOf(shape: Shape, imports: Imports, indent: string): string {
  const nested = (one: Shape): string => valueOf(one, imports, indent)
  switch (shape.kind) {
    case 'string':
      return stringValue(shape, imports)
    case 'null':
      return leaf('nothing', imports)
    case 'array':
      return call('array', [nested(shape.items)], imports)
    case 'record':
      return recordValue(shape, imports, indent)
    case 'object':
      return objectValue(shape, imports, indent)
    case 'union':
      return call('union', shape.of.map(nested), imports)
    case 'choice':
      return call('choice', [quote(shape.member), nested(shape.present), nested(shape.absent)], imports)
    default:
      return leaf(shape.kind, imports)
  }
}
