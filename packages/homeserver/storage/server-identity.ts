/** SQL of the server's own name, one row, and of the keys that it signs with, as itself and as a policy server. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'

/** Undefined before the first start. */
export async function ownServerName(db: Reader): Promise<string | undefined> {
  const row = await db.row<{ server_name: string }>(sql`SELECT server_name FROM server_identity WHERE only_row = 1`)
  return row?.server_name
}

export function insertOwnServerName(serverName: string): Statement {
  return statement(
    sql`INSERT INTO server_identity (only_row, server_name) VALUES (1, ${serverName}) ON CONFLICT DO NOTHING`,
  )
}

export type SigningKeyRow = { key_id: string; seed: Uint8Array; created_ms: number; expired_ms: number | null }

/** All that were ever used, in that order: the last one is in use. */
export function signingKeys(db: Reader): Promise<readonly SigningKeyRow[]> {
  return db.all<SigningKeyRow>(
    sql`SELECT key_id, seed, created_ms, expired_ms FROM signing_keys
        ORDER BY CASE WHEN expired_ms IS NULL THEN 1 ELSE 0 END, expired_ms, created_ms`,
  )
}

export function insertSigningKey(key: {
  readonly keyId: string
  readonly seed: Uint8Array
  readonly createdMs: number
}): Statement {
  return statement(
    sql`INSERT INTO signing_keys (key_id, seed, created_ms, expired_ms)
        VALUES (${key.keyId}, ${key.seed}, ${key.createdMs}, NULL)`,
    { changes: 1 },
  )
}

/** The key must be the one in use. */
export function expireSigningKey(keyId: string, expiredMs: number): Statement {
  return statement(
    sql`UPDATE signing_keys SET expired_ms = ${expiredMs} WHERE key_id = ${keyId} AND expired_ms IS NULL`,
    { changes: 1 },
  )
}

/** Undefined before this server was first started as a policy server. */
export async function policyKeySeed(db: Reader): Promise<Uint8Array | undefined> {
  const row = await db.row<{ seed: Uint8Array }>(sql`SELECT seed FROM policy_server_key WHERE only_row = 1`)
  return row?.seed
}

export function insertPolicyKey({
  seed,
  createdMs,
}: {
  readonly seed: Uint8Array
  readonly createdMs: number
}): Statement {
  return statement(sql`INSERT INTO policy_server_key (only_row, seed, created_ms) VALUES (1, ${seed}, ${createdMs})`, {
    changes: 1,
  })
}
