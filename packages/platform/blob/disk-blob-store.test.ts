import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { createCryptoRandom } from '../random/crypto-random.ts'
import { BadBlobKey, BlobTooLarge } from './blob-store.ts'
import { openDiskBlobStore } from './disk-blob-store.ts'

async function aStore() {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-blob-'))
  const store = await openDiskBlobStore(folder, createCryptoRandom())
  const files = async () =>
    (await readdir(folder, { recursive: true, withFileTypes: true })).filter((entry) => entry.isFile())
  return { folder, store, files, [Symbol.asyncDispose]: () => rm(folder, { recursive: true }) }
}

const BYTES = Buffer.from('some bytes')

test('what was put can be had again, whole and in part, and after a restart', async () => {
  await using context = await aStore()
  const stored = await context.store.put('abc', BYTES)
  assert.deepEqual(stored, { bytes: 10, sha256: createHash('sha256').update(BYTES).digest() })
  const again = await openDiskBlobStore(context.folder, createCryptoRandom())
  assert.deepEqual(await again.get('abc'), BYTES)
  assert.deepEqual(await again.get('abc', { start: 5, end: 100 }), Buffer.from('bytes'))
  assert.deepEqual(await again.get('abc', { start: 20, end: 30 }), Buffer.alloc(0))
  assert.equal(await again.size('abc'), 10)
  const chunks: Uint8Array[] = []
  for await (const chunk of (await again.stream('abc'))!) chunks.push(chunk)
  assert.deepEqual(Buffer.concat(chunks), BYTES)
})

test('a second put under a key takes the place of the first', async () => {
  await using context = await aStore()
  await context.store.put('abc', BYTES)
  await context.store.put('abc', Buffer.alloc(0))
  assert.deepEqual(await context.store.get('abc'), Buffer.alloc(0))
  assert.equal((await context.files()).length, 1)
})

test('keys that differ in case only are two keys', async () => {
  await using context = await aStore()
  await context.store.put('aaa', Buffer.from('small'))
  await context.store.put('AAA', Buffer.from('large'))
  assert.deepEqual(await context.store.get('aaa'), Buffer.from('small'))
})

test('deleting tells whether there was something, and leaves nothing', async () => {
  await using context = await aStore()
  await context.store.put('abc', BYTES)
  assert.equal(await context.store.delete('abc'), true)
  assert.equal(await context.store.delete('abc'), false)
  assert.equal(await context.store.get('abc'), undefined)
  assert.equal(await context.store.stream('abc'), undefined)
  assert.equal(await context.store.size('abc'), undefined)
  assert.deepEqual(await context.files(), [])
})

test('a body that is too large, breaks off or is given up leaves what was there before', async () => {
  await using context = await aStore()
  await context.store.put('abc', BYTES)
  async function* endless() {
    for (;;) yield Buffer.alloc(1000)
  }
  async function* broken() {
    yield Buffer.alloc(1000)
    throw new Error('the line went dead')
  }
  await assert.rejects(context.store.put('abc', endless(), { bytesMax: 5000 }), BlobTooLarge)
  await assert.rejects(context.store.put('abc', broken()), /line went dead/)
  await assert.rejects(context.store.put('abc', endless(), { signal: AbortSignal.abort(new Error('gone')) }), /gone/)
  assert.deepEqual(await context.store.get('abc'), BYTES)
  assert.equal((await context.files()).length, 1)
})

test('no key leads out of the folder', async () => {
  await using context = await aStore()
  const keys = [
    '..',
    '../../x',
    'a/b/c',
    'a\\b\\c',
    '/etc/passwd',
    'abc\0',
    'a',
    '',
    'x'.repeat(129),
    '%2e%2e%2f',
    'ａｂｃ',
    'a.b',
  ]
  for (const key of keys) {
    await assert.rejects(async () => context.store.put(key, BYTES), BadBlobKey, key)
    await assert.rejects(async () => context.store.get(key), BadBlobKey, key)
    await assert.rejects(async () => context.store.delete(key), BadBlobKey, key)
  }
  assert.deepEqual(await context.files(), [])
})

test('what a crash left half-written is gone after the next start', async () => {
  await using context = await aStore()
  await writeFile(join(context.folder, 'unfinished', 'abc'), 'half')
  await openDiskBlobStore(context.folder, createCryptoRandom())
  assert.deepEqual(await context.files(), [])
})
