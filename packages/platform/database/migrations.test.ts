import assert from 'node:assert/strict'
import { writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { describe, it } from 'node:test'
import { SchemaMismatch } from './database.ts'
import { assertNumbered, checksumOf, loadMigrations, migrationText } from './migrations.ts'
import { temporaryFolder } from './testing/temporary-folder.ts'

function aMigration(text: string) {
  return { number: 1, name: 'a', text }
}

describe('migration files', () => {
  it('are loaded in the order of their numbers, whatever their line ends', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, '0002-second.sql'), 'SELECT 2;')
    await writeFile(join(folder.path, '0001-the-first.sql'), 'SELECT 1;\r\nSELECT 1;')
    await writeFile(join(folder.path, 'README.md'), 'not one of them')
    assert.deepEqual(await loadMigrations(folder.path), [
      { number: 1, name: 'the-first', text: 'SELECT 1;\nSELECT 1;' },
      { number: 2, name: 'second', text: 'SELECT 2;' },
    ])
  })

  it('must be named with number and purpose, without gaps', async () => {
    await using folder = await temporaryFolder()
    await writeFile(join(folder.path, '0002-second.sql'), 'SELECT 2;')
    await assert.rejects(loadMigrations(folder.path), /migration 2 \(second\) should have number 1/)
    await writeFile(join(folder.path, 'third.sql'), 'SELECT 3;')
    await assert.rejects(loadMigrations(folder.path), /third.sql must be named like/)
  })

  it('are refused when the engines would understand them differently', () => {
    const unportable = [
      'CREATE TABLE t (a INTEGER);',
      'CREATE TABLE t (a int NOT NULL);',
      'CREATE TABLE t (a TEXT);',
      'CREATE TABLE t (a BLOB);',
      'CREATE TABLE t (a BOOLEAN);',
      'CREATE TABLE t (a {{id}} AUTOINCREMENT);',
      'BEGIN; SELECT 1;',
      'CREATE TABLE t (a BIGINT REFERENCES b (a) DEFERRABLE);',
    ]
    for (const text of unportable) assert.throws(() => assertNumbered([aMigration(text)]), SchemaMismatch, text)
    assertNumbered([aMigration("CREATE TABLE t (json {{text}}, a BIGINT); -- TEXT\nINSERT INTO t VALUES ('TEXT', 1);")])
  })

  it('are rendered for each engine, and have one checksum', () => {
    const migration = aMigration('CREATE TABLE t (a {{id}}, b {{text}} NOT NULL, c {{bytes}}) {{without_rowid}};')
    assert.equal(
      migrationText('sqlite', migration),
      'CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT NOT NULL, c BLOB) WITHOUT ROWID;',
    )
    assert.equal(
      migrationText('postgres', migration),
      'CREATE TABLE t (a BIGINT PRIMARY KEY, b TEXT COLLATE "C" NOT NULL, c BYTEA) ;',
    )
    assert.throws(() => migrationText('sqlite', aMigration('{{unknown}}')), /the tokens are id, integer, text/)
    assert.equal(checksumOf(migration), checksumOf({ ...migration }))
  })
})
