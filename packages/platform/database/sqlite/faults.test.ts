import assert from 'node:assert/strict'
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { describe, it } from 'node:test'
import { text } from 'node:stream/consumers'
import { fileURLToPath } from 'node:url'
import { DatabaseUnavailable, statement } from '../database.ts'
import { sql } from '../sql.ts'
import { CONTRACT_MIGRATIONS, openPlace } from '../testing/open.ts'
import { temporaryFolder } from '../testing/temporary-folder.ts'
import { countEntries, entryIds, insertAtPosition, insertEntry } from '../testing/statements.ts'
import { openSqlite } from './open.ts'

const BYTES_MAX = 1024 * 1024
const BIG = new Uint8Array(16 * 1024).fill(7)

for (const writer of ['inline', 'thread'] as const) {
  describe(`SQLite with ${writer} writer: faults`, () => {
    it('refuses commits while the disk is full, applies nothing of them, and goes on when there is space', async () => {
      await using folder = await temporaryFolder()
      const options = { folder: folder.path, writer, migrations: CONTRACT_MIGRATIONS, bytesMax: BYTES_MAX }
      await using database = await openSqlite(options)
      const kept: number[] = []
      for (let id = 0; id < 200; id += 1) {
        const list = [insertAtPosition(id), insertEntry(id + 1000, { data: BIG })]
        const outcome = await database.commit(list, { positions: 1 }).catch((error: unknown) => error)
        if (outcome instanceof Error) assert.ok(outcome instanceof DatabaseUnavailable, outcome.message)
        else kept.push(id)
      }
      assert.ok(kept.length > 10 && kept.length < 150, `${kept.length} of 200 lists fit`)
      assert.deepEqual(
        (await entryIds(database)).filter((id) => id < 1000),
        kept,
      )
      assert.equal(database.lastPosition(), kept.length)
      await database.commit([statement(sql`DELETE FROM entries WHERE id >= ${1000}`)])
      const next = await database.commit([insertAtPosition(2000), insertEntry(3000, { data: BIG })], { positions: 1 })
      assert.equal(next.firstPosition, kept.length + 1)
    })

    it('blames the whole group for a full disk, and none of its lists', async () => {
      await using folder = await temporaryFolder()
      const options = { folder: folder.path, writer, migrations: CONTRACT_MIGRATIONS, bytesMax: BYTES_MAX }
      await using database = await openSqlite(options)
      const big = Array.from({ length: 200 }, (_, id) => insertEntry(id, { data: BIG }))
      const outcomes = await Promise.allSettled([database.commit([insertEntry(500)]), database.commit(big)])
      for (const outcome of outcomes) {
        assert.ok(outcome.status === 'rejected' && outcome.reason instanceof DatabaseUnavailable)
        assert.match(outcome.reason.message, /the disk is full/)
      }
      assert.equal(await countEntries(database), 0)
      await database.commit([insertEntry(500)])
      assert.equal(await countEntries(database), 1)
    })

    it('survives writes that fail, and has exactly what it acknowledged', async () => {
      await using folder = await temporaryFolder()
      const place = { engine: 'sqlite', folder: folder.path, writer } as const
      const report = await runLimited(JSON.stringify(place))
      assert.ok(report.failed > 0 && report.committed.length > 0)
      await using database = await openPlace(place)
      assert.deepEqual(await entryIds(database), report.committed)
      assert.equal(database.lastPosition(), report.committed.length)
    })
  })
}

/** The child may write no file beyond 2 MB: a real I/O error from the operating system. */
async function runLimited(place: string): Promise<{ committed: number[]; failed: number }> {
  const script = fileURLToPath(new URL('../testing/limited-child.ts', import.meta.url))
  const argv = ['-c', 'ulimit -f 4096 && exec "$@"', 'sh', process.execPath, script, place]
  const child = spawn('/bin/sh', argv, { stdio: ['ignore', 'pipe', 'inherit'] })
  const [output, [code]] = await Promise.all([text(child.stdout), once(child, 'exit')])
  assert.equal(code, 0)
  return JSON.parse(output) as { committed: number[]; failed: number }
}
