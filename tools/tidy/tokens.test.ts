import assert from 'node:assert/strict'
import { test } from 'node:test'
import { tokenize } from './tokens.ts'

const texts = (source: string) => tokenize(source).tokens.map((token) => token.text)
const kinds = (source: string) => tokenize(source).tokens.map((token) => token.kind)
const words = (source: string) =>
  tokenize(source)
    .tokens.filter((token) => token.kind === 'word')
    .map((token) => token.text)

test('words in strings, comments and template text are not words of the program', () => {
  assert.deepEqual(words(`a('Date', "fetch" /* console */) // process`), ['a'])
  assert.deepEqual(words('const x = `Date ${ y } fetch`'), ['const', 'x', 'y'])
  assert.deepEqual(words("'it\\'s Date'; b"), ['b'])
})

test('a substitution may hold braces, strings and templates', () => {
  assert.deepEqual(words('`a ${ f({ k: `in ${ deep } ner` }) } b` + last'), ['f', 'k', 'deep', 'last'])
  assert.deepEqual(words('`\\${ not } \\\\${ yes } $5 $`; end'), ['yes', 'end'])
})

test('a slash after an operand divides, elsewhere it begins a regular expression', () => {
  assert.deepEqual(kinds('a / b / c'), ['word', 'punctuator', 'word', 'punctuator', 'word'])
  assert.deepEqual(kinds('x = /Date/g'), ['word', 'punctuator', 'regex'])
  assert.deepEqual(kinds('f(1) / 2'), ['word', 'punctuator', 'number', 'punctuator', 'punctuator', 'number'])
  assert.deepEqual(texts('if (a) /b(/.test(c)').slice(4, 5), ['/b(/'])
  assert.deepEqual(texts('return /[/"]/u'), ['return', '/[/"]/u'])
  assert.deepEqual(kinds('count! / total'), ['word', 'punctuator', 'punctuator', 'word'])
  assert.deepEqual(texts('!/x/.test(y)').slice(0, 2), ['!', '/x/'])
})

test('a quotation mark in a regular expression does not open a string', () => {
  assert.deepEqual(words(`const r = /['"\`]/; after`), ['const', 'r', 'after'])
})

test('numbers, optional chaining and spread are single tokens', () => {
  assert.deepEqual(texts('1_000.5e-3 0xffn a?.b a?.5:1 ...c'), [
    '1_000.5e-3',
    '0xffn',
    'a',
    '?.',
    'b',
    'a',
    '?',
    '.5',
    ':',
    '1',
    '...',
    'c',
  ])
})

test('closing type arguments are single tokens', () => {
  assert.deepEqual(texts('Map<a, Set<b>>()').slice(-5), ['b', '>', '>', '(', ')'])
})

test('lines are counted through comments and templates', () => {
  const { tokens, comments } = tokenize('/* 1\n 2 */ a\n`3\n${b}\n5` c')
  assert.deepEqual(
    tokens.filter((token) => token.kind === 'word').map((token) => [token.text, token.line]),
    [
      ['a', 2],
      ['b', 4],
      ['c', 5],
    ],
  )
  assert.deepEqual([comments[0]?.line, comments[0]?.endLine], [1, 2])
})

test('what is not finished ends with the file', () => {
  for (const source of ['`abc ${', '"abc', '/* abc', '`abc', '#!x', 'a = /b']) assert.ok(tokenize(source))
})
