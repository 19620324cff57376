/** Where a running server can be reached by commands of its owner: an address and a secret, in the data folder. */
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '@holdfast/platform/random/random'

const FILE = 'control.json'

export type ControlFile = { readonly url: string; readonly secret: string }

/** Good until it is disposed, or until the next start. Only the owner of the process may read it. */
export async function writeControlFile(
  folder: string,
  { url, secret, random }: ControlFile & { readonly random: Random },
): Promise<AsyncDisposable> {
  const file = join(folder, FILE)
  const temporary = `${file}.${random.text(8)}`
  await writeFile(temporary, JSON.stringify({ url, secret } satisfies ControlFile), { mode: 0o600 })
  await rename(temporary, file)
  return { [Symbol.asyncDispose]: () => rm(file, { force: true }) }
}

/** Undefined when no server runs on these data, as far as one can see. */
export async function readControlFile(folder: string): Promise<ControlFile | undefined> {
  try {
    const { url, secret } = JSON.parse(await readFile(join(folder, FILE), 'utf8')) as Partial<ControlFile>
    return typeof url === 'string' && typeof secret === 'string' ? { url, secret } : undefined
  } catch {
    return undefined
  }
}
