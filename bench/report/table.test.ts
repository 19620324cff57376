import assert from 'node:assert/strict'
import { test } from 'node:test'
import { figure, markdownTable, percent } from './table.ts'

test('a table is aligned as text, too', () => {
  const table = markdownTable<{ name: string; value: number }>(
    [
      { title: 'name', cell: (item) => item.name },
      { title: 'n', align: 'right', cell: (item) => String(item.value) },
    ],
    [
      { name: 'a', value: 1 },
      { name: 'longer', value: 1000 },
    ],
  )
  assert.equal(table, ['| name   |    n |', '| ------ | ---: |', '| a      |    1 |', '| longer | 1000 |'].join('\n'))
})

test('figures have three digits that matter', () => {
  assert.equal(figure(12345.6), '12,346')
  assert.equal(figure(123.4), '123')
  assert.equal(figure(12.34), '12.3')
  assert.equal(figure(1.234), '1.23')
  assert.equal(figure(0.0004), '0.0004')
  assert.equal(figure(0), '0')
  assert.equal(figure(undefined), '–')
  assert.equal(figure(Number.NaN), '–')
})

test('shares are percentages', () => {
  assert.equal(percent(0.256), '26 %')
  assert.equal(percent(undefined), '–')
})
