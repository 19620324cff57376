/** Blobs as files under one folder, two levels deep: `ab/cd/abcdef...`. */
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { type FileHandle, mkdir, open, readdir, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { Random } from '../random/random.ts'
import { BadBlobKey, type BlobBody, type BlobStore, BlobTooLarge, type StoredBlob } from './blob-store.ts'

const KEY = /^[A-Za-z0-9_-]{3,128}$/
const READ_AT_ONCE_BYTES = 256 * 1024

/** What a crash left behind half-written is swept here at the next start. */
const UNFINISHED = 'unfinished'

export async function openDiskBlobStore(folder: string, random: Random): Promise<BlobStore> {
  const unfinished = join(folder, UNFINISHED)
  await mkdir(unfinished, { recursive: true })
  for (const name of await readdir(unfinished)) await rm(join(unfinished, name), { force: true })
  return {
    put: (key, body, options = {}) => {
      const target = pathOf(folder, key)
      return putFile({ target, temporary: join(unfinished, random.text(24)), body, ...options })
    },
    get: (key, range) => readWhole(pathOf(folder, key), range),
    stream: (key) => openStream(pathOf(folder, key)),
    size: async (key) => (await orUndefined(stat(pathOf(folder, key))))?.size,
    delete: (key) => deleteFile(pathOf(folder, key)),
    [Symbol.asyncDispose]: async () => {},
  }
}

/** The fan-out is by hash: keys of one user may share a prefix. Two keys that differ in case only keep different folders. */
function pathOf(folder: string, key: string): string {
  if (!KEY.test(key)) throw new BadBlobKey()
  const digest = createHash('sha256').update(key).digest('hex')
  return join(folder, digest.slice(0, 2), digest.slice(2, 4), `${key}.${digest.slice(4, 12)}`)
}

type Put = {
  readonly target: string
  readonly temporary: string
  readonly body: BlobBody
  readonly bytesMax?: number
  readonly signal?: AbortSignal
}

/** The order makes it durable: the bytes, then the name, then the folder that holds the name. */
async function putFile(put: Put): Promise<StoredBlob> {
  try {
    const stored = await writeTemporary(put)
    await makeDurableFolder(dirname(put.target))
    await rename(put.temporary, put.target)
    await syncFolder(dirname(put.target))
    return stored
  } catch (error) {
    await rm(put.temporary, { force: true })
    throw error
  }
}

async function writeTemporary({ temporary, body, bytesMax, signal }: Put): Promise<StoredBlob> {
  const hash = createHash('sha256')
  let bytes = 0
  await using file = await open(temporary, 'wx', 0o600)
  for await (const chunk of body instanceof Uint8Array ? [body] : body) {
    signal?.throwIfAborted()
    bytes += chunk.length
    if (bytes > (bytesMax ?? Infinity)) throw new BlobTooLarge(bytesMax!)
    hash.update(chunk)
    await writeAll(file, chunk)
  }
  await file.sync()
  return { bytes, sha256: hash.digest() }
}

/** A write may take a part only, on a disk that is nearly full. */
async function writeAll(file: FileHandle, chunk: Uint8Array): Promise<void> {
  for (let written = 0; written < chunk.length;) {
    written += (await file.write(chunk, written, chunk.length - written)).bytesWritten
  }
}

async function makeDurableFolder(folder: string): Promise<void> {
  const made = await mkdir(folder, { recursive: true, mode: 0o700 })
  if (made === undefined) return
  // New folders, too, are names in a folder above.
  for (let at = folder; at.length >= made.length; at = dirname(at)) await syncFolder(dirname(at))
}

async function syncFolder(folder: string): Promise<void> {
  await using handle = await open(folder, 'r')
  await handle.sync()
}

async function readWhole(
  path: string,
  range?: { readonly start: number; readonly end: number },
): Promise<Uint8Array | undefined> {
  await using file = await orUndefined(open(path, 'r'))
  if (file === undefined) return undefined
  const { size } = await file.stat()
  const start = Math.min(range?.start ?? 0, size)
  const end = Math.min(range?.end ?? size, size)
  const bytes = Buffer.alloc(Math.max(0, end - start))
  for (let read = 0; read < bytes.length;) {
    const { bytesRead } = await file.read(bytes, read, bytes.length - read, start + read)
    if (bytesRead === 0) return bytes.subarray(0, read)
    read += bytesRead
  }
  return bytes
}

async function openStream(path: string): Promise<AsyncIterable<Uint8Array> | undefined> {
  const file = await orUndefined(open(path, 'r'))
  return file === undefined ? undefined : createReadStream('', { fd: file, highWaterMark: READ_AT_ONCE_BYTES })
}

async function deleteFile(path: string): Promise<boolean> {
  try {
    await rm(path)
    await syncFolder(dirname(path))
    return true
  } catch (error) {
    if (isNotFound(error)) return false
    throw error
  }
}

async function orUndefined<T>(promise: Promise<T>): Promise<T | undefined> {
  try {
    return await promise
  } catch (error) {
    if (isNotFound(error)) return undefined
    throw error
  }
}

function isNotFound(error: unknown): boolean {
  return (error as NodeJS.ErrnoException).code === 'ENOENT'
}
