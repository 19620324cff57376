import assert from 'node:assert/strict'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { test } from 'node:test'
import { databaseSize, pathBytes } from './database-size.ts'

test('a folder counts plain files by length and SQLite by pages in use, those in the log included', () => {
  const folder = mkdtempSync(join(tmpdir(), 'bench-size-'))
  try {
    mkdirSync(join(folder, 'media'))
    writeFileSync(join(folder, 'media', 'picture'), Buffer.alloc(1000))
    using database = new DatabaseSync(join(folder, 'x.db'))
    database.exec('PRAGMA journal_mode=WAL; CREATE TABLE t (b BLOB); INSERT INTO t VALUES (zeroblob(100000))')
    const size = pathBytes(folder) - 1000
    assert.equal(size % 4096, 0)
    assert.ok(size >= 100_000 && size < 120_000, String(size))
    database.exec('DELETE FROM t')
    assert.ok(pathBytes(folder) - 1000 < size - 90_000)
  } finally {
    rmSync(folder, { recursive: true })
  }
})

test('without a path or a URL there is no size to tell', () => {
  assert.equal(databaseSize({}), undefined)
})
