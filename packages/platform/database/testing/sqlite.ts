/** SQLite databases in temporary folders, for tests. */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { openPlace } from './open.ts'
import type { Engine, Place } from './place.ts'

export async function temporaryFolder(): Promise<AsyncDisposable & { readonly path: string }> {
  const path = await mkdtemp(join(tmpdir(), 'holdfast-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}

export function sqliteEngine(writer: 'inline' | 'thread'): Engine {
  return { name: `SQLite with ${writer} writer`, place: () => sqlitePlace(writer) }
}

async function sqlitePlace(writer: 'inline' | 'thread'): Promise<Place> {
  const folder = await temporaryFolder()
  const description = { engine: 'sqlite', folder: folder.path, writer } as const
  return {
    description,
    open: (options) => openPlace(description, options),
    [Symbol.asyncDispose]: () => folder[Symbol.asyncDispose](),
  }
}
