/** Secrets that we hand out: 256 bits of chance, known to storage by their SHA-256 only. */
import { hash } from 'node:crypto'
import type { Random } from '@holdfast/platform/random/random'

/** 43 characters of 62 kinds: 256 bits. */
const SECRET_CHARACTERS = 43

/** The kind is part of the token, so that one kind is never taken for another and leaks are found by searching. */
const PREFIXES = { access: 'hfa_', refresh: 'hfr_', login: 'hfl_', openid: 'hfo_' } as const

export type TokenKind = keyof typeof PREFIXES

/** Longer ones are no tokens of ours, and are not hashed. */
const TOKEN_CHARACTERS_MAX = 256

export function newToken(random: Random, kind: TokenKind): string {
  return PREFIXES[kind] + random.text(SECRET_CHARACTERS)
}

/** SHA-256 in base64; undefined if the text cannot be a token of this kind. */
export function tokenKey(token: string, kind: TokenKind): string | undefined {
  if (!token.startsWith(PREFIXES[kind]) || token.length > TOKEN_CHARACTERS_MAX) return undefined
  return hash('sha256', token, 'base64')
}

/** The SHA-256 as storage has it. */
export function tokenHash(token: string, kind: TokenKind): Uint8Array | undefined {
  const key = tokenKey(token, kind)
  return key === undefined ? undefined : Buffer.from(key, 'base64')
}
