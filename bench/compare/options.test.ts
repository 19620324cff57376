import assert from 'node:assert/strict'
import { test } from 'node:test'
import { parseCompareOptions } from './options.ts'

test('what shapes a run is handed on to every run', () => {
  const options = parseCompareOptions(['--work', 'w', '--quick', '--members', '9', '--workloads', 'idle,joins'])
  assert.deepEqual(options.runArgs, ['--quick', '--only', 'idle,joins', '--members', '9'])
  assert.equal(options.layout, '1+1')
})

test('a folder to work in is needed, and a layout that exists', () => {
  assert.throws(() => parseCompareOptions([]), /--work/)
  assert.throws(() => parseCompareOptions(['--work', 'w', '--layout', 'x']), /--layout/)
})
