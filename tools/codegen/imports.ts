/** What a generated file needs to import, collected while it is written. */

export type Imports = {
  readonly brands: Set<string>
  readonly json: Set<string>
  readonly shapes: Set<string>
  readonly identifiers: Set<string>
  readonly query: Set<string>
  readonly operation: Set<string>
}

export function noImports(): Imports {
  return {
    brands: new Set(),
    json: new Set(),
    shapes: new Set(),
    identifiers: new Set(),
    query: new Set(),
    operation: new Set(),
  }
}

function importLine(names: Set<string>, from: string, keyword = 'import'): string[] {
  return names.size === 0 ? [] : [`${keyword} { ${[...names].toSorted().join(', ')} } from '${from}'`]
}

export function importLines(imports: Imports): string[] {
  const types = [...imports.operation].toSorted().map((name) => `type ${name}`)
  return [
    ...importLine(imports.brands, '@holdfast/protocol/ids/brand', 'import type'),
    ...importLine(imports.json, '@holdfast/protocol/json/value', 'import type'),
    ...importLine(imports.identifiers, '../../identifiers.ts'),
    `import { operation, ${types.join(', ')} } from '../../operation.ts'`,
    ...importLine(imports.query, '../../query.ts'),
    ...importLine(imports.shapes, '../../shape.ts'),
  ]
}

const IDENTIFIER = /^[A-Za-z_$][A-Za-z0-9_$]*$/

export function quote(text: string): string {
  return `'${text.replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`
}

export function property(name: string): string {
  return IDENTIFIER.test(name) ? name : quote(name)
}
