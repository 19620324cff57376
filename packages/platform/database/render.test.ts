import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { postgresEncoding } from './postgres/encoding.ts'
import { prepareRead } from './prepared.ts'
import { integerList, sql, textList, type SqlParameter } from './sql.ts'
import { sqliteEncoding } from './sqlite/encoding.ts'

function texts(query: ReturnType<typeof sql>) {
  return [sqliteEncoding.render(query).text, postgresEncoding.render(query).text]
}

describe('rendering', () => {
  it('numbers the parameters of each engine', () => {
    assert.deepEqual(texts(sql` SELECT a FROM t WHERE a = ${1} AND b = ${'x'} `), [
      'SELECT a FROM t WHERE a = ?1 AND b = ?2',
      'SELECT a FROM t WHERE a = $1 AND b = $2',
    ])
  })

  it('makes membership in a list one parameter', () => {
    assert.deepEqual(texts(sql`SELECT a FROM t WHERE a IN ${integerList([1])} AND b not in ${textList([])}`), [
      'SELECT a FROM t WHERE a IN (SELECT value FROM json_each(?1)) AND b NOT IN (SELECT value FROM json_each(?2))',
      'SELECT a FROM t WHERE a = ANY ($1::bigint[]) AND b <> ALL ($2::text[])',
    ])
  })

  it('renders a template once, whatever its values', () => {
    const query = (a: number) => sql`SELECT a FROM t WHERE a = ${a}`
    assert.equal(sqliteEncoding.render(query(1)), sqliteEncoding.render(query(2)))
    assert.notEqual(sqliteEncoding.render(query(1)).id, sqliteEncoding.render(sql`SELECT a FROM t`).id)
  })

  it('refuses a template that takes a list once and a value another time', () => {
    const query = (a: SqlParameter) => sql`SELECT a FROM t WHERE a IN ${a}`
    prepareRead(sqliteEncoding, query(integerList([1])))
    assert.throws(() => prepareRead(sqliteEncoding, query(textList(['x']))), TypeError)
    assert.throws(() => prepareRead(sqliteEncoding, query(1)), TypeError)
  })
})
