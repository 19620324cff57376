import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createVerifyPool } from '@holdfast/platform/crypto/verify-pool'
import { createSigningKey } from '@holdfast/protocol/signing/signing-key'
import { parseVerifyKey, type VerifyKey } from '@holdfast/protocol/signing/verify-key'
import { type KeyCheck, verifyMany } from './verify-many.ts'

test('many signatures are judged as each alone, those with an R of small order included', async () => {
  const checks: KeyCheck[] = Array.from({ length: 30 }, (_, index) => {
    const signing = createSigningKey({ keyId: 'ed25519:1', seed: new Uint8Array(32).fill(index % 4) })
    const key = parseVerifyKey(signing.publicKey) as VerifyKey
    const signature = Uint8Array.from(Buffer.from(signing.sign(`message ${index}`), 'base64'))
    if (index % 5 === 0) signature.set(new Uint8Array(32).fill(0), 0)
    if (index % 5 === 1) signature[40]! ^= 1
    const cut = index % 5 === 2 ? signature.subarray(0, 63) : signature
    return { key, message: `message ${index}`, signature: cut }
  })
  const alone = checks.map(({ key, message, signature }) => key.verify(message, signature))
  assert.deepEqual(await verifyMany(createVerifyPool(), checks), alone)
  assert.equal(alone.filter(Boolean).length, 12)
})
