/** SQL of OpenID tokens. They are named by their SHA-256; no token itself is ever stored. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'

export function insertOpenIdToken(token: {
  readonly hash: Uint8Array
  readonly userNid: number
  readonly expiresMs: number
}): Statement {
  return statement(
    sql`INSERT INTO openid_tokens (token_hash, user_nid, expires_ms)
        VALUES (${token.hash}, ${token.userNid}, ${token.expiresMs})`,
    { changes: 1 },
  )
}

/** Whose token it is, if it is good and the account may still be used. */
export function openIdTokenOwner(
  db: Reader,
  token: { readonly hash: Uint8Array; readonly nowMs: number },
): Promise<{ user_id: string } | undefined> {
  return db.row(
    sql`SELECT u.user_id FROM openid_tokens t
        JOIN accounts a ON a.user_nid = t.user_nid AND a.deactivated_ms IS NULL AND a.is_locked = 0
        JOIN users u ON u.user_nid = t.user_nid
        WHERE t.token_hash = ${token.hash} AND t.expires_ms > ${token.nowMs}`,
  )
}

export function deleteOpenIdTokensBefore(nowMs: number): Statement {
  return statement(sql`DELETE FROM openid_tokens WHERE expires_ms <= ${nowMs}`)
}

export function deleteOpenIdTokensOf(userNid: number): Statement {
  return statement(sql`DELETE FROM openid_tokens WHERE user_nid = ${userNid}`)
}
