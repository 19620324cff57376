/** SQL of those who use the service: their tokens, and the terms that they accepted. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'

export function insertToken(token: {
  readonly hash: Uint8Array
  readonly userId: string
  readonly nowMs: number
}): Statement {
  return statement(
    sql`INSERT INTO account_tokens (token_hash, user_id, created_ms, used_ms)
        VALUES (${token.hash}, ${token.userId}, ${token.nowMs}, ${token.nowMs})`,
    { changes: 1 },
  )
}

export function tokenOwner(
  db: Reader,
  hash: Uint8Array,
): Promise<{ user_id: string; used_ms: number } | undefined> {
  return db.row(sql`SELECT user_id, used_ms FROM account_tokens WHERE token_hash = ${hash}`)
}

export function touchToken(hash: Uint8Array, nowMs: number): Statement {
  return statement(sql`UPDATE account_tokens SET used_ms = ${nowMs} WHERE token_hash = ${hash}`)
}

export function deleteToken(hash: Uint8Array): Statement {
  return statement(sql`DELETE FROM account_tokens WHERE token_hash = ${hash}`)
}

export function deleteTokensUnusedSince(ms: number): Statement {
  return statement(sql`DELETE FROM account_tokens WHERE used_ms < ${ms}`)
}

export function acceptedTerms(db: Reader, userId: string): Promise<readonly string[]> {
  return db.column<string>(sql`SELECT url FROM accepted_terms WHERE user_id = ${userId} ORDER BY url`)
}

export function insertAcceptedTerms(terms: {
  readonly userId: string
  readonly url: string
  readonly acceptedMs: number
}): Statement {
  return statement(
    sql`INSERT INTO accepted_terms (user_id, url, accepted_ms) VALUES (${terms.userId}, ${terms.url}, ${terms.acceptedMs})
        ON CONFLICT DO NOTHING`,
  )
}
