import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addressRanges } from './address-ranges.ts'
import { mayConnect } from './private-addresses.ts'

const NOTHING = addressRanges([])

const PRIVATE = `
  0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254
  169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.1 192.0.2.1 192.88.99.1 192.168.1.1 198.18.0.1
  198.19.255.255 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255 :: ::1
  ::127.0.0.1 ::ffff:127.0.0.1 ::ffff:7f00:1 ::ffff:8.8.8.8 ::ffff:0:127.0.0.1 64:ff9b::7f00:1
  64:ff9b::8.8.8.8 64:ff9b:1::1 2001::1 2002:7f00:1:: 2002:0808:0808::1 2001:db8::1 fc00::1
  fd12:3456::1 fe80::1 febf::1 fec0::1 ff02::1 100::1 3fff::1 5f00::1
`
  .trim()
  .split(/\s+/)
const PUBLIC = `
  1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1
  169.253.1.1 172.15.255.255 172.32.0.1 192.167.1.1 192.169.0.1 223.255.255.255 2001:4860:4860::8888
  2606:4700::1111 2a00:1450::1 64:ff9c::1
`
  .trim()
  .split(/\s+/)

test('no private, special or translated address may be reached', () => {
  for (const address of PRIVATE) assert.equal(mayConnect({ address, port: 443 }, NOTHING), false, address)
})

test('public addresses may be reached', () => {
  for (const address of PUBLIC) assert.equal(mayConnect({ address, port: 8448 }, NOTHING), true, address)
})

test('what is no address may not be reached', () => {
  for (const address of ['', 'localhost', '0x7f.1', '2130706433', '127.1', 'fe80::1%eth0', '①②⑦.⓪.⓪.①']) {
    assert.equal(mayConnect({ address, port: 443 }, NOTHING), false, address)
  }
})

test('ports of other protocols may not be reached', () => {
  for (const port of [22, 25, 110, 587, 5432, 6379, 11211])
    assert.equal(mayConnect({ address: '8.8.8.8', port }, NOTHING), false)
})

test('what the operator lets through may be reached, and nothing beside it', () => {
  const allowed = addressRanges(['10.1.0.0/16', '::1'])
  assert.equal(mayConnect({ address: '10.1.2.3', port: 22 }, allowed), true)
  assert.equal(mayConnect({ address: '::ffff:10.1.2.3', port: 443 }, allowed), true)
  assert.equal(mayConnect({ address: '10.2.0.1', port: 443 }, allowed), false)
  assert.equal(mayConnect({ address: '::1', port: 443 }, allowed), true)
})
