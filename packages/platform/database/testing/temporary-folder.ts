/**
 * Folders for the data of tests. `npm test` names a place in memory (FAST_TEST_FOLDER) where there is one: each commit
 * waits for the disk otherwise, and no test here takes the power away.
 */
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'

export type TemporaryFolder = AsyncDisposable & { readonly path: string }

export async function temporaryFolder(): Promise<TemporaryFolder> {
  const path = await mkdtemp(join(process.env['FAST_TEST_FOLDER'] ?? tmpdir(), 'holdfast-'))
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) }
}
