/** Access tokens of the service: 256 bits of chance, known to storage by their SHA-256 only. */
import { hash } from 'node:crypto'
import type { Random } from '@holdfast/platform/random/random'

/** 43 characters of 62 kinds. */
const SECRET_CHARACTERS = 43
/** Part of the token, so that leaks are found by searching. */
const PREFIX = 'hfi_'
const TOKEN_CHARACTERS_MAX = 256

export function newToken(random: Random): string {
  return PREFIX + random.text(SECRET_CHARACTERS)
}

/** As storage has it; undefined if the text cannot be a token of ours. */
export function tokenHash(token: string): Uint8Array | undefined {
  if (!token.startsWith(PREFIX) || token.length > TOKEN_CHARACTERS_MAX) return undefined
  return Buffer.from(hash('sha256', token, 'hex'), 'hex')
}
