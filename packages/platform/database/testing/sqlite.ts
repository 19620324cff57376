/** SQLite databases in temporary folders, for tests. */
import { openPlace } from './open.ts'
import type { Engine, Place } from './place.ts'
import { temporaryFolder } from './temporary-folder.ts'

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
