import assert from 'node:assert/strict'
import { generateKeyPairSync, sign } from 'node:crypto'
import { test } from 'node:test'
import { createVerifyPool, type SignatureCheck } from './verify-pool.ts'

function aCheck(text: string): SignatureCheck {
  const { publicKey, privateKey } = generateKeyPairSync('ed25519')
  const message = Buffer.from(text)
  return {
    publicKey: publicKey.export({ format: 'der', type: 'spki' }).subarray(-32),
    message,
    signature: sign(null, message, privateKey),
  }
}

test('a batch of any size says for each signature whether it holds, in order', async () => {
  const pool = createVerifyPool()
  for (const size of [0, 1, 7, 8, 200]) {
    const checks = Array.from({ length: size }, (_, index) => aCheck(String(index)))
    assert.deepEqual(
      await pool.verify(checks),
      checks.map(() => true),
    )
    const spoilt = checks.map((check, index) => (index % 3 === 0 ? { ...check, message: Buffer.from('other') } : check))
    assert.deepEqual(
      await pool.verify(spoilt),
      spoilt.map((_, index) => index % 3 !== 0),
    )
  }
})

test('what cannot be a key or a signature does not hold, and harms no neighbour', async () => {
  const pool = createVerifyPool()
  const good = aCheck('good')
  const bad: SignatureCheck[] = [
    { ...good, publicKey: new Uint8Array(0) },
    { ...good, publicKey: new Uint8Array(31) },
    { ...good, publicKey: new Uint8Array(32).fill(255) },
    { ...good, signature: new Uint8Array(0) },
    { ...good, signature: new Uint8Array(63) },
    { ...good, signature: new Uint8Array(64).fill(255) },
    { ...good, signature: Buffer.concat([good.signature, Buffer.from([0])]) },
  ]
  const expected = [...bad.map(() => false), true]
  assert.deepEqual(await pool.verify([...bad, good]), expected)
  assert.deepEqual(await pool.verify([...bad.slice(0, 3), good]), [false, false, false, true])
})

test('a thousand checks leave the event loop free', async () => {
  const pool = createVerifyPool()
  const check = aCheck('x')
  let turns = 0
  const timer = setInterval(() => (turns += 1), 1)
  const both = await Promise.all([
    pool.verify(Array.from({ length: 1000 }, () => check)),
    pool.verify(Array.from({ length: 1000 }, () => check)),
  ])
  clearInterval(timer)
  assert.ok(both.flat().every(Boolean))
  assert.ok(turns > 5, `${turns} turns`)
})
