import assert from 'node:assert/strict'
import { statSync } from 'node:fs'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { DatabaseUnavailable } from '../database.ts'
import { CONTRACT_MIGRATIONS } from '../testing/open.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { entryIds, insertEntry } from '../testing/statements.ts'
import { SqliteConnection } from './connection.ts'
import { openSqlite } from './open.ts'
import { measureSyncMs } from './sync-time.ts'

describe('opening SQLite', () => {
  it('works without any thread', async () => {
    await using folder = await temporaryFolder()
    const options = { writer: 'inline', readerThreads: 0, checkpoints: 'inline' } as const
    await using database = await openSqlite({ folder: folder.path, migrations: CONTRACT_MIGRATIONS, ...options })
    await database.commit([insertEntry(1)])
    assert.deepEqual(await entryIds(database.heavy), [1])
  })

  it('makes each commit durable, and leaves checkpoints to others', async () => {
    await using folder = await temporaryFolder()
    const { database } = SqliteConnection.writer(join(folder.path, 'holdfast.db'))
    const setting = (name: string) => Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0]
    const FULL = 2
    assert.deepEqual(['journal_mode', 'synchronous', 'wal_autocheckpoint'].map(setting), ['wal', FULL, 0])
    database.close()
  })

  it('writes nothing when another connection opens a database, so that it can when the disk is full', async () => {
    await using folder = await temporaryFolder()
    const path = join(folder.path, 'holdfast.db')
    const first = SqliteConnection.writer(path)
    first.database.exec('CREATE TABLE t (a)')
    const before = statSync(`${path}-wal`)
    const second = SqliteConnection.writer(path)
    assert.equal(second.database.prepare('PRAGMA auto_vacuum').get()?.['auto_vacuum'], 2)
    assert.equal(statSync(`${path}-wal`).size, before.size)
    second.close()
    first.close()
  })

  it('refuses what is not a database with a sentence', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'holdfast.db'), 'not a database, but long enough to look like one '.repeat(100))
    await assert.rejects(openSqlite({ folder: folder.path, migrations: [] }), (error) => {
      assert.ok(error instanceof DatabaseUnavailable)
      assert.match(error.message, /cannot be opened: the file is not a database/)
      return true
    })
    await writeFile(join(folder.path, 'a-file'), '')
    await assert.rejects(openSqlite({ folder: join(folder.path, 'a-file'), migrations: [] }), DatabaseUnavailable)
  })

  it('says that the folder is in use only where it is', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, 'holdfast.lock'), 'not a database, but long enough to look like one '.repeat(100))
    await assert.rejects(openSqlite({ folder: folder.path, migrations: [] }), DatabaseUnavailable)
  })

  it('measures how long a durable write takes', async () => {
    await using folder = await temporaryFolder()
    const ms = measureSyncMs(folder.path)
    assert.ok(ms > 0 && ms < 60_000, `${ms} ms`)
  })
})
