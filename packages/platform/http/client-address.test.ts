import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressRanges, parseRange } from './address-ranges.ts'
import { clientAddress } from './client-address.ts'

const TRUSTED = addressRanges(['10.0.0.0/8', '::1'])

test('without a trusted proxy the header says nothing', () => {
  assert.equal(clientAddress('192.0.2.1', '203.0.113.9', TRUSTED), '192.0.2.1')
  assert.equal(clientAddress('10.0.0.1', '203.0.113.9', addressRanges([])), '10.0.0.1')
})

test('the walk ends at the first hop that is not trusted, whatever stands before it', () => {
  assert.equal(clientAddress('10.0.0.1', '1.2.3.4, 203.0.113.9, 10.0.0.2', TRUSTED), '203.0.113.9')
  assert.equal(clientAddress('10.0.0.1', '10.9.9.9', TRUSTED), '10.9.9.9')
  assert.equal(clientAddress('10.0.0.1', undefined, TRUSTED), '10.0.0.1')
})

test('a hop that is no address ends the walk', () => {
  for (const hop of ['unknown', '', 'a.b.c.d', '1.2.3.4.5', '<script>']) {
    assert.equal(clientAddress('10.0.0.1', `203.0.113.9, ${hop}`, TRUSTED), '10.0.0.1', hop)
  }
})

test('one address has one form', () => {
  assert.equal(clientAddress('::ffff:192.0.2.1', undefined, TRUSTED), '192.0.2.1')
  assert.equal(clientAddress('::1', '192.0.2.1:4711', TRUSTED), '192.0.2.1')
  assert.equal(clientAddress('::1', '[2001:db8::1]:4711', TRUSTED), '2001:db8::1')
  assert.equal(clientAddress('::ffff:10.0.0.1', '2001:db8::1', TRUSTED), '2001:db8::1')
})

test('a range is an address with a prefix that fits it', () => {
  assert.deepEqual(parseRange('10.0.0.0/8'), { address: '10.0.0.0', prefix: 8, family: 'ipv4' })
  assert.deepEqual(parseRange('::1'), { address: '::1', prefix: 128, family: 'ipv6' })
  for (const wrong of ['10.0.0.0/33', '10.0.0.0/-1', '10.0.0/8', 'x', '', '::/129', '10.0.0.0/8/8', 'fe80::1%eth0']) {
    assert.equal(parseRange(wrong), undefined, wrong)
  }
})
