import assert from 'node:assert/strict'
import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { statement } from '../database.ts'
import { sql } from '../sql.ts'
import { CONTRACT_MIGRATIONS } from '../testing/open.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { entryIds, insertEntry } from '../testing/statements.ts'
import type { CheckpointDone, CheckpointMode, CheckpointResult } from './checkpoint.ts'
import { Checkpoints } from './checkpoints.ts'
import { openSqlite } from './open.ts'

/** Runs one round for each size of the log, and notes what was asked for. */
async function rounds(...results: readonly Partial<CheckpointDone>[]): Promise<string[]> {
  const asked: string[] = []
  for (const result of results) {
    let alone = false
    const run = async (mode: CheckpointMode): Promise<CheckpointResult> => {
      asked.push(alone ? `${mode} alone` : mode)
      return { kind: 'done', ms: 1, logged: 0, moved: 0, pages: 10_000, free: 0, ...result }
    }
    const exclusively = (task: () => Promise<CheckpointResult>) => {
      alone = true
      return task()
    }
    const checkpoints = new Checkpoints({ run, exclusively, observer: {} })
    checkpoints.due()
    checkpoints.due()
    await sleep(250)
    await checkpoints.close()
  }
  return asked
}

async function until(condition: () => boolean): Promise<void> {
  for (let waited = 0; !condition(); waited += 1) {
    // The thread of checkpoints gives way to everything else on the machine.
    assert.ok(waited < 1_800, 'nothing happened in three minutes')
    await sleep(100)
  }
}

describe('checkpoints', () => {
  it('follow commits, and hold them only when the log has grown', async () => {
    assert.deepEqual(await rounds({ logged: 100, moved: 50 }), ['PASSIVE'])
    assert.deepEqual(await rounds({ logged: 5000, moved: 5000 }), ['PASSIVE', 'PASSIVE alone'])
    assert.deepEqual(await rounds({ logged: 20_000, moved: 5000 }), ['PASSIVE', 'TRUNCATE alone'])
  })

  it('give free pages back when they are many', async () => {
    assert.deepEqual(await rounds({ free: 1900 }), ['PASSIVE'])
    assert.deepEqual(await rounds({ free: 3000, pages: 100_000 }), ['PASSIVE'])
    assert.deepEqual(await rounds({ free: 3000 }), ['PASSIVE', 'SHRINK alone'])
  })

  it('make the file smaller after much was deleted', async () => {
    await using folder = await temporaryFolder()
    await using database = await openSqlite({ folder: folder.path, migrations: CONTRACT_MIGRATIONS })
    const size = () => statSync(join(folder.path, 'holdfast.db')).size
    const data = new Uint8Array(1024 * 1024)
    for (let id = 0; id < 40; id += 1) await database.commit([insertEntry(id, { data })])
    await until(() => size() > 40 * data.length)
    await database.commit([statement(sql`DELETE FROM entries WHERE id > ${0}`)])
    await until(() => size() < 20 * data.length)
    await database.commit([insertEntry(100)])
    assert.deepEqual(await entryIds(database), [0, 100])
  })

  for (const checkpoints of ['thread', 'inline'] as const) {
    it(`move the log into the database soon after a commit (${checkpoints})`, async () => {
      await using folder = await temporaryFolder()
      const moved = Promise.withResolvers<number>()
      const observer = { checkpointed: ({ walBytes }: { walBytes: number }) => moved.resolve(walBytes) }
      const options = { folder: folder.path, migrations: CONTRACT_MIGRATIONS, checkpoints, observer }
      await using database = await openSqlite(options)
      await database.commit([insertEntry(1, { data: new Uint8Array(100_000) })])
      assert.ok((await moved.promise) > 100_000)
      assert.ok(statSync(join(folder.path, 'holdfast.db')).size > 100_000)
    })
  }

  it('empty the log when the database closes', async () => {
    await using folder = await temporaryFolder()
    const database = await openSqlite({ folder: folder.path, migrations: CONTRACT_MIGRATIONS })
    await database.commit([insertEntry(1, { data: new Uint8Array(100_000) })])
    await database[Symbol.asyncDispose]()
    assert.equal(existsSync(join(folder.path, 'holdfast.db-wal')), false)
  })
})
