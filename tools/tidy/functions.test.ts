import assert from 'node:assert/strict'
import { test } from 'node:test'
import { findFunctions } from './functions.ts'
import { tokenize } from './tokens.ts'

const functions = (source: string) =>
  findFunctions(tokenize(source).tokens).map(({ name, line, lines }) => [name, line, lines])

test('a function is counted from its parameters to its closing brace', () => {
  assert.deepEqual(functions('function a(\n b: X,\n) {\n return 1\n}'), [['a', 1, 5]])
})

test('return types of every form lead to the body', () => {
  const types = [
    'void',
    'Promise<Map<A, B[]>>',
    '{ a: number }',
    'A | { b: c }',
    'x is Y',
    'asserts x is Y',
    '() => { a: b }',
    '[A, B]',
    'Readonly<{ a: () => void }>',
    'A[number]',
    'typeof a.b',
    "'x' | 'y'",
    '(A | B)[]',
    'asserts x',
    'this is { a: b }',
    'A extends B ? C : D',
    'readonly A[]',
    'import("x").Y',
  ]
  for (const type of types) {
    const found = functions(`function f(): ${type} {\n\n}`)
    assert.deepEqual(
      found.filter(([name]) => name === 'f'),
      [['f', 1, 3]],
      type,
    )
  }
})

test('methods, accessors, constructors and generics are functions; control statements and calls are not', () => {
  const source = `class A {
  constructor(x: number) {
    super()
  }
  get y(): number { return 1 }
  async z<T extends B<C>>(t: T): Promise<T> {
    if (t) {
      while (call(t)) {
      }
    }
    switch (t) { default: }
    try { } catch (e) { }
    return t
  }
  [Symbol.dispose](): void {
  }
}`
  assert.deepEqual(functions(source), [
    ['constructor', 2, 3],
    ['y', 5, 1],
    ['z', 6, 9],
    ['[computed]', 15, 2],
  ])
})

test('arrow functions have a body or an expression', () => {
  assert.deepEqual(functions('const a = async (b): Promise<C> => {\n d()\n}'), [['a', 1, 3]])
  assert.deepEqual(functions('const a = (b: C) =>\n  b\n    .c()\n    .d()\nconst e = 1'), [['a', 1, 4]])
  assert.deepEqual(functions('const a = b => ({\n c,\n})\nf()'), [['a', 1, 3]])
  assert.deepEqual(functions('const o = {\n k: (v) => v.x,\n l: 1,\n}'), [['k', 2, 1]])
})

test('a function type is no longer than its line', () => {
  assert.deepEqual(functions('type F = (a: B) => Promise<C>\ntype G = 1'), [['F', 1, 1]])
})

test('an argument knows whose it is', () => {
  const [outer] = findFunctions(tokenize("describe('x', () => {\n a()\n})").tokens)
  assert.equal(outer?.argumentOf, 'describe')
})

test('a template in a body does not end it', () => {
  assert.deepEqual(functions('function q() {\n return sql`a ${ { b } }\n }`\n}'), [['q', 1, 4]])
})
