/** SQL of access, refresh and login tokens. They are named by their SHA-256; no token itself is ever stored. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { integerList, sql } from '@holdfast/platform/database/sql'

/** An access token with its device and account. */
export type TokenOwnerRow = {
  user_nid: number
  user_id: string
  device_nid: number
  device_id: string
  last_seen_ms: number | null
  generation: number
  is_confirmed: number
  expires_ms: number | null
  kind: number
  is_admin: number
  is_locked: number
  is_suspended: number
}

export function tokenOwner(db: Reader, tokenHash: Uint8Array): Promise<TokenOwnerRow | undefined> {
  return db.row<TokenOwnerRow>(
    sql`SELECT t.user_nid, u.user_id, t.device_nid, d.device_id, d.last_seen_ms, t.generation, t.is_confirmed,
          t.expires_ms, a.kind, a.is_admin, a.is_locked, a.is_suspended
        FROM access_tokens t JOIN devices d ON d.device_nid = t.device_nid
          JOIN accounts a ON a.user_nid = t.user_nid JOIN users u ON u.user_nid = t.user_nid
        WHERE t.token_hash = ${tokenHash} AND a.deactivated_ms IS NULL`,
  )
}

export function insertAccessToken(token: {
  readonly hash: Uint8Array
  readonly userNid: number
  readonly deviceNid: number
  readonly generation: number
  readonly isConfirmed: 0 | 1
  readonly expiresMs: number | undefined
}): Statement {
  return statement(
    sql`INSERT INTO access_tokens (token_hash, user_nid, device_nid, generation, is_confirmed, expires_ms)
        VALUES (${token.hash}, ${token.userNid}, ${token.deviceNid}, ${token.generation}, ${token.isConfirmed},
          ${token.expiresMs ?? null})`,
    { changes: 1 },
  )
}

/** Breaks its expectation if the token is gone or confirmed already. */
export function confirmAccessToken(tokenHash: Uint8Array): Statement {
  return statement(
    sql`UPDATE access_tokens SET is_confirmed = 1 WHERE token_hash = ${tokenHash} AND is_confirmed = 0`,
    {
      changes: 1,
    },
  )
}

type Generation = { readonly deviceNid: number; readonly generation: number }

export function deleteAccessTokensBefore({ deviceNid, generation }: Generation): Statement {
  return statement(sql`DELETE FROM access_tokens WHERE device_nid = ${deviceNid} AND generation < ${generation}`)
}

export function deleteAccessTokensFrom({ deviceNid, generation }: Generation): Statement {
  return statement(sql`DELETE FROM access_tokens WHERE device_nid = ${deviceNid} AND generation >= ${generation}`)
}

export function deleteAccessTokens(deviceNids: readonly number[]): Statement {
  return statement(sql`DELETE FROM access_tokens WHERE device_nid IN ${integerList(deviceNids)}`)
}

export type RefreshTokenRow = {
  user_nid: number
  device_nid: number
  generation: number
  consumed_ms: number | null
  is_locked: number
}

export function refreshToken(db: Reader, tokenHash: Uint8Array): Promise<RefreshTokenRow | undefined> {
  return db.row<RefreshTokenRow>(
    sql`SELECT t.user_nid, t.device_nid, t.generation, t.consumed_ms, a.is_locked
        FROM refresh_tokens t JOIN accounts a ON a.user_nid = t.user_nid
        WHERE t.token_hash = ${tokenHash} AND a.deactivated_ms IS NULL`,
  )
}

export function insertRefreshToken(token: {
  readonly hash: Uint8Array
  readonly userNid: number
  readonly deviceNid: number
  readonly generation: number
}): Statement {
  return statement(
    sql`INSERT INTO refresh_tokens (token_hash, user_nid, device_nid, generation, consumed_ms)
        VALUES (${token.hash}, ${token.userNid}, ${token.deviceNid}, ${token.generation}, NULL)`,
    { changes: 1 },
  )
}

/** Changes nothing; breaks its expectation unless the token may still be used. */
export function requireUnconsumed(tokenHash: Uint8Array): Statement {
  return statement(
    sql`UPDATE refresh_tokens SET generation = generation WHERE token_hash = ${tokenHash} AND consumed_ms IS NULL`,
    { changes: 1 },
  )
}

export function consumeRefreshTokensBefore({
  deviceNid,
  generation,
  nowMs,
}: Generation & { readonly nowMs: number }): Statement {
  return statement(
    sql`UPDATE refresh_tokens SET consumed_ms = ${nowMs}
        WHERE device_nid = ${deviceNid} AND generation < ${generation} AND consumed_ms IS NULL`,
  )
}

export function deleteRefreshTokensBefore({ deviceNid, generation }: Generation): Statement {
  return statement(sql`DELETE FROM refresh_tokens WHERE device_nid = ${deviceNid} AND generation < ${generation}`)
}

export function deleteRefreshTokensFrom({ deviceNid, generation }: Generation): Statement {
  return statement(sql`DELETE FROM refresh_tokens WHERE device_nid = ${deviceNid} AND generation >= ${generation}`)
}

export function deleteRefreshTokens(deviceNids: readonly number[]): Statement {
  return statement(sql`DELETE FROM refresh_tokens WHERE device_nid IN ${integerList(deviceNids)}`)
}

export function insertLoginToken(token: {
  readonly hash: Uint8Array
  readonly userNid: number
  readonly expiresMs: number
}): Statement {
  return statement(
    sql`INSERT INTO login_tokens (token_hash, user_nid, expires_ms)
        VALUES (${token.hash}, ${token.userNid}, ${token.expiresMs})`,
    { changes: 1 },
  )
}

/** Takes the token away and tells whose it was. Breaks its expectation unless it is good and unused. */
export function takeLoginToken(tokenHash: Uint8Array, nowMs: number): Statement {
  return statement(
    sql`DELETE FROM login_tokens WHERE token_hash = ${tokenHash} AND expires_ms > ${nowMs} RETURNING user_nid`,
    { rows: 1 },
  )
}

export function deleteLoginTokensOf(userNid: number): Statement {
  return statement(sql`DELETE FROM login_tokens WHERE user_nid = ${userNid}`)
}

export function deleteLoginTokensBefore(nowMs: number): Statement {
  return statement(sql`DELETE FROM login_tokens WHERE expires_ms <= ${nowMs}`)
}
