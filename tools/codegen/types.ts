/** Shapes as TypeScript types, for people. */

import { property, quote, type Imports } from './imports.ts'
import type { Brand, Shape } from './shape.ts'

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

function stringType(shape: Extract<Shape, { kind: 'string' }>, imports: Imports): string {
  if (shape.values !== undefined) return shape.values.map(quote).join(' | ')
  return shape.brand === undefined ? 'string' : brandType(shape.brand, imports)
}

function jsonType(imports: Imports): string {
  imports.json.add('JsonValue')
  return 'JsonValue'
}

/** In parentheses, where `[]` behind it would bind to its last part only. */
export function grouped(type: string): string {
  return type.startsWith('readonly ') || (type.includes(' | ') && !type.startsWith('{')) ? `(${type})` : type
}

export function typeOf(shape: Shape, imports: Imports, indent = ''): string {
  switch (shape.kind) {
    case 'json':
      return jsonType(imports)
    case 'integer':
    case 'number':
      return 'number'
    case 'boolean':
    case 'null':
      return shape.kind
    case 'bytes':
      return 'Uint8Array'
    case 'string':
      return stringType(shape, imports)
    case 'array':
      return `readonly ${grouped(typeOf(shape.items, imports, indent))}[]`
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
