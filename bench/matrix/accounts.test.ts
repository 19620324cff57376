import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { registrationMac } from './accounts.ts'

test('the registration MAC covers nonce, name, password and role, divided by NUL', () => {
  const mac = registrationMac({ secret: 'shared', nonce: 'n', username: 'u', password: 'p' })
  assert.equal(mac, createHmac('sha1', 'shared').update('n\0u\0p\0notadmin').digest('hex'))
})
