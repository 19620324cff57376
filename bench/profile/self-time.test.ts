import assert from 'node:assert/strict'
import { test } from 'node:test'
import { selfTimes } from './self-time.ts'

function node(id: number, functionName: string, url = '') {
  return { id, callFrame: { functionName, url, lineNumber: 9 } }
}

test('time is summed per function over all its call sites, waiting left out', () => {
  const profile = {
    nodes: [
      node(1, '(idle)'),
      node(2, 'parse', 'file:///x/packages/p/a.ts'),
      node(3, 'parse', 'file:///x/packages/p/a.ts'),
      node(4, ''),
    ],
    samples: [1, 2, 3, 4],
    timeDeltas: [1000, 30, 30, 40],
  }
  assert.deepEqual(selfTimes(profile, 5), [
    { where: 'parse packages/p/a.ts:10', share: 0.6 },
    { where: '(anonymous)', share: 0.4 },
  ])
  assert.equal(selfTimes(profile, 1).length, 1)
})
