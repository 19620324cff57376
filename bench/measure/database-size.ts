/** Bytes that a server's database holds: SQLite files and folders by path, PostgreSQL by URL. */

import { closeSync, openSync, readdirSync, readSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { Client } from 'pg'

export type DatabaseSize = () => Promise<number>

export function databaseSize(where: {
  path?: string | undefined
  pgUrl?: string | undefined
}): DatabaseSize | undefined {
  const { path, pgUrl } = where
  if (pgUrl !== undefined) return () => postgresBytes(pgUrl)
  if (path !== undefined) return async () => pathBytes(path)
  return undefined
}

async function postgresBytes(url: string): Promise<number> {
  const client = new Client({ connectionString: url })
  await client.connect()
  try {
    const result = await client.query<{ bytes: string }>('SELECT pg_database_size(current_database()) AS bytes')
    return Number(result.rows[0]!.bytes)
  } finally {
    await client.end()
  }
}

export function pathBytes(path: string): number {
  const status = statSync(path)
  if (!status.isDirectory()) return fileBytes(path, status.size)
  return readdirSync(path).reduce((sum, name) => sum + pathBytes(join(path, name)), 0)
}

/**
 * SQLite databases count the pages in use, those in the write-ahead log included. The log itself is left out: its file
 * is reused and says nothing about what the events need.
 */
function fileBytes(path: string, size: number): number {
  if (/-(?:wal|shm|journal)$/.test(path)) return 0
  return isSqlite(path) ? sqliteBytes(path) : size
}

function isSqlite(path: string): boolean {
  const header = Buffer.alloc(16)
  const file = openSync(path, 'r')
  try {
    readSync(file, header, 0, 16, 0)
  } finally {
    closeSync(file)
  }
  return header.toString('latin1') === 'SQLite format 3\0'
}

function sqliteBytes(path: string): number {
  using database = new DatabaseSync(path, { readOnly: true, timeout: 5_000 })
  const pragma = (name: string) => Number(Object.values(database.prepare(`PRAGMA ${name}`).get() ?? {})[0])
  return (pragma('page_count') - pragma('freelist_count')) * pragma('page_size')
}
