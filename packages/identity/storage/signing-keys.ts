/** SQL of the long-term keys. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'

export type SigningKeyRow = {
  key_id: string
  seed: Uint8Array
  created_ms: number
  retired_ms: number | null
  revoked_ms: number | null
}

/** The one in use is the last. */
export function signingKeys(db: Reader): Promise<readonly SigningKeyRow[]> {
  return db.all<SigningKeyRow>(
    sql`SELECT key_id, seed, created_ms, retired_ms, revoked_ms FROM signing_keys
        ORDER BY CASE WHEN retired_ms IS NULL THEN 1 ELSE 0 END, retired_ms, created_ms`,
  )
}

export function insertSigningKey(key: {
  readonly keyId: string
  readonly publicKey: string
  readonly seed: Uint8Array
  readonly createdMs: number
}): Statement {
  return statement(
    sql`INSERT INTO signing_keys (key_id, public_key, seed, created_ms, retired_ms, revoked_ms)
        VALUES (${key.keyId}, ${key.publicKey}, ${key.seed}, ${key.createdMs}, NULL, NULL)`,
    { changes: 1 },
  )
}

/** The key must be the one in use. */
export function retireSigningKey(keyId: string, retiredMs: number): Statement {
  return statement(
    sql`UPDATE signing_keys SET retired_ms = ${retiredMs} WHERE key_id = ${keyId} AND retired_ms IS NULL`,
    { changes: 1 },
  )
}

/** The key must be retired. */
export function revokeSigningKey(keyId: string, revokedMs: number): Statement {
  return statement(
    sql`UPDATE signing_keys SET revoked_ms = ${revokedMs} WHERE key_id = ${keyId} AND retired_ms IS NOT NULL`,
    { changes: 1 },
  )
}
