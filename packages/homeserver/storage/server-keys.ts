/** SQL of the public keys of other servers. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { bool, sql, textList } from '@holdfast/platform/database/sql'

export type KeyResponseRow = {
  server_name: string
  response: string
  valid_until_ms: number
  fetched_ms: number
  is_direct: number
}

export type VerifyKeyRow = {
  server_name: string
  key_id: string
  public_key: string
  valid_until_ms: number
  expired_ms: number | null
  is_direct: number
}

export function keyResponses(db: Reader, servers: readonly string[]): Promise<readonly KeyResponseRow[]> {
  return db.all<KeyResponseRow>(
    sql`SELECT server_name, response, valid_until_ms, fetched_ms, is_direct FROM server_key_responses
        WHERE server_name IN ${textList(servers)} ORDER BY server_name`,
  )
}

export function verifyKeys(db: Reader, servers: readonly string[]): Promise<readonly VerifyKeyRow[]> {
  return db.all<VerifyKeyRow>(
    sql`SELECT server_name, key_id, public_key, valid_until_ms, expired_ms, is_direct FROM server_verify_keys
        WHERE server_name IN ${textList(servers)} ORDER BY server_name, key_id`,
  )
}

export function upsertKeyResponse(response: {
  readonly server: string
  readonly text: string
  readonly validUntilMs: number
  readonly fetchedMs: number
  readonly isDirect: boolean
}): Statement {
  const { server, text, validUntilMs, fetchedMs, isDirect } = response
  return statement(
    sql`INSERT INTO server_key_responses (server_name, response, valid_until_ms, fetched_ms, is_direct)
        VALUES (${server}, ${text}, ${validUntilMs}, ${fetchedMs}, ${bool(isDirect)})
        ON CONFLICT (server_name) DO UPDATE SET response = excluded.response, is_direct = excluded.is_direct,
          valid_until_ms = excluded.valid_until_ms, fetched_ms = excluded.fetched_ms`,
  )
}

export function upsertVerifyKey(key: {
  readonly server: string
  readonly keyId: string
  readonly publicKey: string
  readonly validUntilMs: number
  readonly expiredMs: number | undefined
  readonly isDirect: boolean
}): Statement {
  const { server, keyId, publicKey, validUntilMs, expiredMs, isDirect } = key
  return statement(
    sql`INSERT INTO server_verify_keys (server_name, key_id, public_key, valid_until_ms, expired_ms, is_direct)
        VALUES (${server}, ${keyId}, ${publicKey}, ${validUntilMs}, ${expiredMs ?? null}, ${bool(isDirect)})
        ON CONFLICT (server_name, key_id) DO UPDATE SET public_key = excluded.public_key,
          valid_until_ms = excluded.valid_until_ms, expired_ms = excluded.expired_ms, is_direct = excluded.is_direct`,
  )
}

export function deleteVerifyKey(server: string, keyId: string): Statement {
  return statement(sql`DELETE FROM server_verify_keys WHERE server_name = ${server} AND key_id = ${keyId}`)
}

export function countKeyResponses(db: Reader): Promise<readonly number[]> {
  return db.column(sql`SELECT COUNT(*) FROM server_key_responses`)
}

/** The servers that were not asked for the longest time. */
export function oldestKeyResponses(db: Reader, count: number): Promise<readonly string[]> {
  return db.column<string>(
    sql`SELECT server_name FROM server_key_responses ORDER BY fetched_ms, server_name LIMIT ${count}`,
  )
}

export function deleteServersKeys(servers: readonly string[]): readonly Statement[] {
  return [
    statement(sql`DELETE FROM server_key_responses WHERE server_name IN ${textList(servers)}`),
    statement(sql`DELETE FROM server_verify_keys WHERE server_name IN ${textList(servers)}`),
  ]
}
