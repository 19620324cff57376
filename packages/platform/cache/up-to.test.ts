import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { LRUCache } from 'lru-cache'
import { upTo } from './up-to.ts'

describe('the bound of a cache', () => {
  it('lets the entry go that was not used for longest, once there is one too many', () => {
    const cache = new LRUCache<number, string>(upTo(2))
    cache.set(1, 'a').set(2, 'b')
    cache.get(1)
    cache.set(3, 'c')
    assert.deepEqual(new Set(cache.keys()), new Set([1, 3]))
  })

  it('counts an entry once that is set again', () => {
    const cache = new LRUCache<number, string>(upTo(2))
    cache.set(1, 'a').set(2, 'b').set(2, 'c').set(2, 'd')
    assert.deepEqual(new Set(cache.keys()), new Set([1, 2]))
  })
})
