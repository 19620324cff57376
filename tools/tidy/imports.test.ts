import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findImports } from './imports.ts'
import { tokenize } from './tokens.ts'

const imports = (source: string) =>
  findImports(tokenize(source).tokens).map(({ specifier, kind, typeOnly, names }) => [
    specifier,
    kind,
    typeOnly,
    names.map((name) => (name.typeOnly ? `type ${name.name}` : name.name)).join(' '),
  ])

test('every form of import is found', () => {
  assert.deepEqual(imports("import 'a'"), [['a', 'import', false, '']])
  assert.deepEqual(imports("import a from 'b'"), [['b', 'import', false, 'default']])
  assert.deepEqual(imports("import a, { b, type C, d as e } from 'f'"), [['f', 'import', false, 'default b type C d']])
  assert.deepEqual(imports("import type { A, B } from 'c'"), [['c', 'import', true, 'type A type B']])
  assert.deepEqual(imports("import type A from 'b'"), [['b', 'import', true, 'type default']])
  assert.deepEqual(imports("import type from 'b'"), [['b', 'import', false, 'default']])
  assert.deepEqual(imports("import * as a from 'b'"), [['b', 'import', false, '*']])
  assert.deepEqual(imports("import a from 'b' with { type: 'json' }"), [['b', 'import', false, 'default']])
  assert.deepEqual(imports("await import('a')"), [['a', 'dynamic', false, '*']])
  assert.deepEqual(imports("new Worker(new URL('./w.ts', import.meta.url))"), [['./w.ts', 'url', false, '']])
})

test('re-exports are found, exports of its own are not', () => {
  assert.deepEqual(imports("export * from 'a'"), [['a', 'export', false, '*']])
  assert.deepEqual(imports("export * as x from 'a'"), [['a', 'export', false, '*']])
  assert.deepEqual(imports("export { a, type B } from 'c'"), [['c', 'export', false, 'a type B']])
  assert.deepEqual(imports("export type { A } from 'b'"), [['b', 'export', true, 'type A']])
  assert.deepEqual(imports("export { a }\nexport const from = 'b'\nexport type X = 'c'"), [])
})

test('text that looks like an import is not one', () => {
  assert.deepEqual(imports("const a = `import x from 'y'` // import z from 'w'\nimport.meta.url; o.import('q')"), [])
})
