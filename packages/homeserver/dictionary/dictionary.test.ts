import assert from 'node:assert/strict'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import test, { type TestContext } from 'node:test'
import type { Database } from '@holdfast/platform/database/database'
import type { UserId } from '@holdfast/protocol/ids/brand'
import { testDatabase } from '../testing/database.ts'
import { openDictionary, type StateKey } from './dictionary.ts'

async function aDatabase(t: TestContext): Promise<Database> {
  const folder = await mkdtemp(join(tmpdir(), 'holdfast-dictionary-'))
  const database = await testDatabase(folder)
  const db = await database.open()
  t.after(async () => {
    await db[Symbol.asyncDispose]()
    await database[Symbol.asyncDispose]()
    await rm(folder, { recursive: true })
  })
  return db
}

const user = (index: number): UserId => `@user${index}:example.org` as UserId

test('many words get the ids that each gets alone, in the order asked for, also twice', async (t) => {
  const db = await aDatabase(t)
  const dictionary = openDictionary(db)
  const known = await dictionary.internUser(user(700))
  const asked = [...Array.from({ length: 1_200 }, (_, index) => user(index)), user(3), user(700)]
  const nids = await dictionary.internUsers(asked)
  assert.equal(new Set(nids).size, 1_200)
  assert.equal(nids[700], known)
  assert.equal(nids[1_200], nids[3])
  assert.equal(nids[1_201], known)
  assert.deepEqual(await dictionary.userIds(nids), asked)
  // Another process, or this one after a restart, reads the same.
  assert.deepEqual(await openDictionary(db).internUsers(asked), nids)
  assert.equal(await openDictionary(db).internUser(user(42)), nids[42])
})

test('state keys are told apart by type and key, whatever is in them', async (t) => {
  const dictionary = openDictionary(await aDatabase(t))
  const keys: StateKey[] = [
    { type: 'a', stateKey: '1:b' },
    { type: 'a1', stateKey: ':b' },
    { type: 'a', stateKey: '' },
    { type: '', stateKey: 'a' },
    { type: 'a', stateKey: 'nul\u0000nul' },
    { type: 'a', stateKey: '\uffff' },
  ]
  const nids = await dictionary.internStateKeys(keys)
  assert.equal(new Set(nids).size, keys.length)
  assert.deepEqual(await dictionary.stateKeys(nids), keys)
  for (const [index, key] of keys.entries()) assert.equal(await dictionary.stateKeyNid(key), nids[index])
})

test('those who make the same words at once get the same ids', async (t) => {
  const dictionary = openDictionary(await aDatabase(t))
  const all = Array.from({ length: 50 }, (_, index) => user(index))
  const [one, other, ...alone] = await Promise.all([
    dictionary.internUsers(all),
    dictionary.internUsers(all.toReversed()),
    ...all.map((userId) => dictionary.internUser(userId)),
  ])
  assert.deepEqual(other.toReversed(), one)
  assert.deepEqual(alone, one)
})
