/** Schema migrations: numbered forward-only files, one text for both engines with a few tokens. */
import { createHash } from 'node:crypto'
import { readdir, readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { SchemaMismatch } from './database.ts'

export type Migration = { readonly number: number; readonly name: string; readonly text: string }

/** A migration as the database remembers it. */
export type AppliedMigration = { readonly number: number; readonly name: string; readonly checksum: string }

type Engine = 'sqlite' | 'postgres'

const TOKENS: Readonly<Record<string, Readonly<Record<Engine, string>>>> = {
  id: { sqlite: 'INTEGER PRIMARY KEY', postgres: 'BIGINT PRIMARY KEY' },
  integer: { sqlite: 'INTEGER', postgres: 'BIGINT' },
  text: { sqlite: 'TEXT', postgres: 'TEXT COLLATE "C"' },
  bytes: { sqlite: 'BLOB', postgres: 'BYTEA' },
  without_rowid: { sqlite: 'WITHOUT ROWID', postgres: '' },
}

/** What would mean different things on the two engines, with what to write instead. A type follows another word. */
const UNPORTABLE: readonly (readonly [RegExp, string])[] = [
  [/(?<=\w\s+)(INTEGER|INT|INT8|SMALLINT)\b/i, '{{integer}} or BIGINT (an INTEGER has 4 bytes on PostgreSQL)'],
  [/(?<=\w\s+)(TEXT|VARCHAR)\b/i, '{{text}} (texts sort by code point on both engines)'],
  [/(?<=\w\s+)(BLOB|BYTEA)\b/i, '{{bytes}}'],
  [/(?<=\w\s+)BOOLEAN\b/i, 'BIGINT with 0 and 1'],
  [/\b(AUTOINCREMENT|SERIAL|BIGSERIAL)\b/i, '{{id}} with numbers of your own'],
  [/\b(DEFERRABLE|BEGIN|COMMIT|ROLLBACK|PRAGMA|VACUUM)\b/i, 'none: a migration is one transaction'],
]

const FILE_NAME = /^(\d{4})-([a-z0-9-]+)\.sql$/

/** Reads `0001-name.sql`, `0002-...` from the folder; numbers start at 1 and have no gaps. */
export async function loadMigrations(folder: string): Promise<readonly Migration[]> {
  const names = (await readdir(folder)).filter((name) => name.endsWith('.sql')).sort()
  const migrations = await Promise.all(names.map((name) => loadMigration(folder, name)))
  assertNumbered(migrations)
  return migrations
}

async function loadMigration(folder: string, fileName: string): Promise<Migration> {
  const match = FILE_NAME.exec(fileName)
  if (match === null)
    throw new SchemaMismatch(`the migration file ${fileName} must be named like 0001-what-it-does.sql`)
  const text = await readFile(join(folder, fileName), 'utf8')
  return { number: Number(match[1]), name: match[2] ?? '', text: text.replaceAll('\r\n', '\n') }
}

/** Throws unless the numbers are 1, 2, 3 ... and every text is portable. */
export function assertNumbered(migrations: readonly Migration[]): void {
  for (const [index, migration] of migrations.entries()) {
    if (migration.number !== index + 1) {
      throw new SchemaMismatch(`migration ${migration.number} (${migration.name}) should have number ${index + 1}`)
    }
    assertPortable(migration)
  }
}

function assertPortable({ number, name, text }: Migration): void {
  const code = withoutComments(text).replace(/\{\{\w+\}\}|'[^']*'/g, '')
  for (const [pattern, instead] of UNPORTABLE) {
    const found = pattern.exec(code)?.[0]
    if (found !== undefined) throw new SchemaMismatch(`migration ${number} (${name}) says ${found}; write ${instead}`)
  }
}

function withoutComments(text: string): string {
  return text.replace(/--[^\n]*/g, '')
}

export function migrationText(engine: Engine, migration: Migration): string {
  return migration.text.replace(/\{\{(\w+)\}\}/g, (_, token: string) => {
    const words = TOKENS[token]
    if (words === undefined) {
      const known = Object.keys(TOKENS).join(', ')
      throw new SchemaMismatch(`migration ${migration.number} uses {{${token}}}; the tokens are ${known}`)
    }
    return words[engine]
  })
}

export function checksumOf(migration: Migration): string {
  return createHash('sha256').update(migration.text).digest('hex')
}

/** The migrations still to be applied. @throws {SchemaMismatch} the database was made by other or newer migrations */
export function pendingMigrations(
  migrations: readonly Migration[],
  applied: readonly AppliedMigration[],
): readonly Migration[] {
  assertNumbered(migrations)
  for (const [index, done] of applied.entries()) assertSame(migrations[index], done, index + 1)
  return migrations.slice(applied.length)
}

function assertSame(known: Migration | undefined, done: AppliedMigration, expected: number): void {
  if (done.number !== expected) throw new SchemaMismatch(`the database lacks migration ${expected}; restore a backup`)
  if (known === undefined) {
    throw new SchemaMismatch(
      `the database has migration ${done.number} (${done.name}), which this version does not know; run the newer version that made it`,
    )
  }
  if (checksumOf(known) === done.checksum) return
  throw new SchemaMismatch(
    `migration ${done.number} (${done.name}) was changed after it was applied to this database; restore its text`,
  )
}
