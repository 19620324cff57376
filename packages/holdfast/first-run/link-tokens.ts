/** The tokens of first-run links, kept as hashes in the data folder, so that a link works after a restart, too. */
import { hash, timingSafeEqual } from 'node:crypto'
import { readFile, rename, rm, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import type { Random } from '@holdfast/platform/random/random'

const FILE = 'first-run.json'
const TOKEN_CHARACTERS = 43
/** Each start prints a link of its own; this many of the newest stay good. */
const TOKENS_MAX = 8

export type LinkTokens = {
  issue(): Promise<string>
  isValid(token: string): Promise<boolean>
  /** No link is good any more. */
  revokeAll(): Promise<void>
}

export function openLinkTokens(folder: string, random: Random): LinkTokens {
  const file = join(folder, FILE)
  return {
    issue: async () => {
      const token = random.text(TOKEN_CHARACTERS)
      const hashes = [...(await readHashes(file)), hashOf(token)].slice(-TOKENS_MAX)
      const temporary = `${file}.${random.text(8)}`
      await writeFile(temporary, JSON.stringify({ sha256: hashes }), { mode: 0o600, flush: true })
      await rename(temporary, file)
      return token
    },
    isValid: async (token) => {
      const candidate = Buffer.from(hashOf(token))
      const hashes = await readHashes(file)
      return hashes.some((known) => known.length === candidate.length && timingSafeEqual(Buffer.from(known), candidate))
    },
    revokeAll: () => rm(file, { force: true }),
  }
}

function hashOf(token: string): string {
  return hash('sha256', token, 'hex')
}

/** A file that somebody damaged holds no links; the next start prints a new one. */
async function readHashes(file: string): Promise<readonly string[]> {
  try {
    const { sha256 } = JSON.parse(await readFile(file, 'utf8')) as { sha256?: unknown }
    return Array.isArray(sha256) ? sha256.filter((entry): entry is string => typeof entry === 'string') : []
  } catch {
    return []
  }
}
