import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Options, parseOptions, UsageError } from './options.ts'
import { FULL, QUICK } from './scale.ts'

const BASE = ['--url', 'http://127.0.0.1:8008']

test('a URL and a secret are enough', () => {
  const options = parseOptions([...BASE, '--secret', 's']) as Options
  assert.deepEqual(options.registration, { kind: 'shared-secret', secret: 's' })
  assert.equal(options.scale, FULL)
  assert.deepEqual(options.pids, [])
  assert.equal(options.label, '127.0.0.1:8008')
})

test('several processes, chosen workloads and another scale', () => {
  const args = [...BASE, '--open-registration', '--pid', '12,34', '--only', 'idle, joins', '--quick', '--members', '50']
  const options = parseOptions(args) as Options
  assert.deepEqual(options.pids, [12, 34])
  assert.deepEqual(options.only, ['idle', 'joins'])
  assert.deepEqual(options.scale, { ...QUICK, joins: { ...QUICK.joins, members: 50 } })
})

test('what cannot be meant is refused', () => {
  for (const args of [
    [],
    BASE,
    ['--url', 'https://x', '--secret', 's'],
    ['--url', 'nonsense', '--secret', 's'],
    [...BASE, '--secret', 's', '--open-registration'],
    [...BASE, '--secret', 's', '--pid', '0'],
    [...BASE, '--secret', 's', '--unknown'],
  ]) {
    assert.throws(() => parseOptions(args), UsageError, args.join(' '))
  }
})
