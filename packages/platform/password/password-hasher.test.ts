import assert from 'node:assert/strict'
import { test } from 'node:test'
import { createCryptoRandom } from '../random/crypto-random.ts'
import { createPasswordHasher, PASSWORD_PARAMETERS, PasswordQueueFull, PasswordTooLong } from './password-hasher.ts'
import { parsePhc } from './phc.ts'

const CHEAP = { memoryKib: 64, passes: 1, parallelism: 1 }
const random = createCryptoRandom()
const hasher = createPasswordHasher({ random, parameters: CHEAP })

test('a password matches its own hash only', async () => {
  const stored = await hasher.hash('correct horse')
  assert.match(stored, /^\$argon2id\$v=19\$m=64,t=1,p=1\$[A-Za-z0-9+/]+\$[A-Za-z0-9+/]+$/)
  assert.deepEqual(await hasher.verify('correct horse', stored), { matches: true, needsRehash: false })
  assert.deepEqual(await hasher.verify('correct hors', stored), { matches: false, needsRehash: false })
})

test('the same password has another hash each time', async () => {
  assert.notEqual(await hasher.hash('x'), await hasher.hash('x'))
})

test('a hash of the reference implementation verifies', async () => {
  // From the test vectors of the argon2 command line tool (phc-winner-argon2, src/test.c).
  const stored = '$argon2id$v=19$m=65536,t=2,p=1$c29tZXNhbHQ$CTFhFdXPJO1aFaMaO6Mm5c8y7cJHAph8ArZWb2GRPPc'
  assert.equal((await hasher.verify('password', stored)).matches, true)
})

test('a hash made with other parameters matches and asks to be renewed', async () => {
  const old = createPasswordHasher({ random, parameters: { ...CHEAP, passes: 2 } })
  const stored = await old.hash('secret')
  assert.deepEqual(await hasher.verify('secret', stored), { matches: true, needsRehash: true })
  assert.deepEqual(await hasher.verify('wrong', stored), { matches: false, needsRehash: false })
})

test('an unknown user and a stored value that is no hash never match, and cost as much work', async () => {
  for (const stored of [undefined, '', 'plain', '$argon2id$v=19$m=64,t=1,p=1$$', '$2b$12$abc']) {
    assert.deepEqual(await hasher.verify('', stored), { matches: false, needsRehash: false })
  }
  const real = createPasswordHasher({ random })
  const stored = await real.hash('x')
  const timed = async (against: string | undefined) => {
    // Of all threads, since hashing has its own; time on the clock is that of others, too.
    const before = process.cpuUsage()
    await real.verify('y', against)
    const { user, system } = process.cpuUsage(before)
    return (user + system) / 1000
  }
  const [known, unknown] = [await timed(stored), await timed(undefined)]
  assert.ok(unknown > known / 4, `unknown ${unknown} ms, known ${known} ms`)
})

test('72, 73 and 512 bytes are all significant, 513 are refused before any work', async () => {
  const stored = await hasher.hash('x'.repeat(72))
  assert.equal((await hasher.verify('x'.repeat(73), stored)).matches, false)
  const long = await hasher.hash('é'.repeat(256))
  assert.equal((await hasher.verify('é'.repeat(256), long)).matches, true)
  await assert.rejects(hasher.hash('é'.repeat(256) + 'x'), PasswordTooLong)
  await assert.rejects(hasher.verify('x'.repeat(513), stored), PasswordTooLong)
})

test('who finds the queue full is turned away, everybody else is served', async () => {
  const small = createPasswordHasher({ random, parameters: CHEAP, concurrentMax: 2, waitingMax: 3 })
  const results = await Promise.allSettled(Array.from({ length: 8 }, () => small.hash('x')))
  const refused = results.filter((result) => result.status === 'rejected')
  assert.equal(refused.length, 3)
  for (const { reason } of refused) assert.ok(reason instanceof PasswordQueueFull)
  assert.ok(await small.hash('again'))
})

test('the event loop goes on while a password is hashed', async () => {
  const real = createPasswordHasher({ random })
  let ticks = 0
  const timer = setInterval(() => (ticks += 1), 2)
  await real.hash('x')
  clearInterval(timer)
  assert.ok(ticks >= 3, `${ticks} ticks`)
})

test('hashes are bound to the parameters that are named', () => {
  assert.deepEqual(PASSWORD_PARAMETERS, { memoryKib: 19_456, passes: 2, parallelism: 1 })
  assert.equal(parsePhc('$argon2id$v=19$m=99999999,t=1,p=1$AAAAAAAAAAAAAAAAAAAAAA$AAAAAAAAAAAAAAAAAAAAAA'), undefined)
})
