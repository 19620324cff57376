import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { parsePropertyPath, valueAtPath } from './property-path.ts'

describe('dot-separated property path', () => {
  it('is cut at dots that are not escaped', () => {
    assert.deepEqual(parsePropertyPath('content.body'), ['content', 'body'])
    assert.deepEqual(parsePropertyPath('content.m\\.relates_to'), ['content', 'm.relates_to'])
    assert.deepEqual(parsePropertyPath('content.m\\\\foo'), ['content', 'm\\foo'])
    assert.deepEqual(parsePropertyPath('a\\\\.b'), ['a\\', 'b'])
    assert.deepEqual(parsePropertyPath(''), [''])
  })

  it('leaves other escapes as they are', () => {
    assert.deepEqual(parsePropertyPath('a\\x.b\\'), ['a\\x', 'b\\'])
  })

  it('leads to own members only', () => {
    const event = { content: { 'm.relates_to': { rel_type: 'm.thread' }, list: [1] } }
    assert.equal(valueAtPath(event, parsePropertyPath('content.m\\.relates_to.rel_type')), 'm.thread')
    for (const path of ['content.body', 'content.list.0', 'content.constructor', '__proto__', 'type.x']) {
      assert.equal(valueAtPath(event, parsePropertyPath(path)), undefined, path)
    }
  })
})
