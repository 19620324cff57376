import assert from 'node:assert/strict'
import { test } from 'node:test'
import * as fc from 'fast-check'
import { packEdges, packNids, unpackEdges, unpackNids } from './edges.ts'

const nid = fc.integer({ min: 1, max: 2 ** 50 })

test('packed nids come back as they were, in their order', () => {
  fc.assert(
    fc.property(fc.array(nid), (nids) => {
      assert.deepEqual(unpackNids(packNids(nids)), nids)
    }),
  )
})

test('prev and auth edges come back apart, also where one of them is empty', () => {
  fc.assert(
    fc.property(fc.array(nid), fc.array(nid), (prev, auth) => {
      assert.deepEqual(unpackEdges(packEdges({ prev, auth })), { prev, auth })
    }),
  )
})

test('the edges of an ordinary message in a busy room take a dozen bytes', () => {
  const bytes = packEdges({ prev: [1_234_567], auth: [1_200_001, 1_200_003, 1_234_000] })
  assert.equal(bytes.length <= 20, true)
})
