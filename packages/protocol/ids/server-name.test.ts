import assert from 'node:assert/strict'
import { describe, it } from 'node:test'
import { isIpLiteral, parseServerName, serverAddress } from './server-name.ts'
import type { ServerName } from './brand.ts'

const VALID = [
  'matrix.org',
  'matrix.org:8888',
  '1.2.3.4',
  '1.2.3.4:1234',
  '[1234:5678::abcd]',
  '[1234:5678::abcd]:5678',
  '[::]',
  '[::1]',
  '[1::]',
  '[1:2:3:4:5:6:7:8]',
  '[1:2:3:4:5:6:1.2.3.4]',
  '[::ffff:1.2.3.4]',
  'localhost',
  'Example.ORG',
  'xn--bcher-kva.example:8448',
  'a-b.c-d',
]

const INVALID = [
  '',
  ':',
  ':8448',
  'example.org:',
  'example.org:123456',
  'example.org:http',
  'example.org:80:80',
  'exa mple.org',
  'exa_mple.org',
  'example.org/',
  'example.org\0',
  'example.org\n',
  'exämple.org',
  '@example.org',
  '[]',
  '[:]',
  '[::1',
  '::1',
  '[::1]x',
  '[1:2:3]',
  '[1:2:3:4:5:6:7:8:9]',
  '[1::2::3]',
  '[:::]',
  '[1:2:3:4:5:6:7::8]',
  '[12345::]',
  '[::g]',
  '[::1.2.3.256]',
  '[::1.2.3]',
  '[1.2.3.4::]',
  'a'.repeat(256),
]

describe('server name', () => {
  for (const name of VALID) it(`accepts ${name}`, () => assert.equal(parseServerName(name), name))
  for (const name of INVALID) {
    it(`refuses ${JSON.stringify(name).slice(0, 40)}`, () => assert.equal(parseServerName(name), undefined))
  }

  it('is told apart as address literal or DNS name, with its port', () => {
    const parts = (name: string) => serverAddress(parseServerName(name) as ServerName)
    assert.deepEqual(parts('[::1]:8448'), { host: '::1', kind: 'ipv6', port: 8448 })
    assert.deepEqual(parts('10.0.0.1'), { host: '10.0.0.1', kind: 'ipv4', port: undefined })
    assert.deepEqual(parts('example.org:443'), { host: 'example.org', kind: 'dns', port: 443 })
    assert.ok(isIpLiteral(parseServerName('1.2.3.4:80') as ServerName))
    assert.ok(!isIpLiteral(parseServerName('1.2.3.4.example') as ServerName))
  })
})
