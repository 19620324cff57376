/** SQL of cross-signing keys and of the signatures that were added to keys. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { integerList, sql } from '@holdfast/platform/database/sql'

/** `cross_signing_keys.key_usage`. */
export const USAGE_CODES = { master: 1, self_signing: 2, user_signing: 3 } as const
export type KeyUsage = keyof typeof USAGE_CODES

export type CrossSigningKeyRow = { user_nid: number; key_usage: number; public_key: string; keys: string }

export function crossSigningKeys(db: Reader, userNids: readonly number[]): Promise<readonly CrossSigningKeyRow[]> {
  return db.all<CrossSigningKeyRow>(
    sql`SELECT user_nid, key_usage, public_key, keys FROM cross_signing_keys
        WHERE user_nid IN ${integerList(userNids)} ORDER BY user_nid, key_usage`,
  )
}

/** Changes nothing; breaks its expectation unless this is the user's key for that use, or there is none where `publicKey` is undefined. */
export function requireCrossSigningKey(key: {
  readonly userNid: number
  readonly usage: KeyUsage
  readonly publicKey: string | undefined
}): Statement {
  const count = key.publicKey === undefined ? 0 : 1
  return statement(
    sql`UPDATE users SET user_nid = user_nid WHERE user_nid = ${key.userNid} AND ${count} =
        (SELECT COUNT(*) FROM cross_signing_keys WHERE user_nid = ${key.userNid}
          AND key_usage = ${USAGE_CODES[key.usage]} AND public_key = COALESCE(${key.publicKey ?? null}, public_key))`,
    { changes: 1 },
  )
}

export function setCrossSigningKey(key: {
  readonly userNid: number
  readonly usage: KeyUsage
  readonly publicKey: string
  readonly text: string
}): Statement {
  return statement(
    sql`INSERT INTO cross_signing_keys (user_nid, key_usage, public_key, keys)
        VALUES (${key.userNid}, ${USAGE_CODES[key.usage]}, ${key.publicKey}, ${key.text})
        ON CONFLICT (user_nid, key_usage) DO UPDATE SET public_key = excluded.public_key, keys = excluded.keys`,
    { changes: 1 },
  )
}

export function deleteCrossSigningKey(key: { readonly userNid: number; readonly usage: KeyUsage }): Statement {
  return statement(
    sql`DELETE FROM cross_signing_keys WHERE user_nid = ${key.userNid} AND key_usage = ${USAGE_CODES[key.usage]}`,
  )
}

export function deleteCrossSigningKeys(userNid: number): Statement {
  return statement(sql`DELETE FROM cross_signing_keys WHERE user_nid = ${userNid}`)
}

export type KeySignatureRow = {
  user_nid: number
  target: string
  signer_nid: number
  key_id: string
  signature: string
}

/** What was added to the keys of some users by themselves and by one other. */
export function keySignatures(
  db: Reader,
  query: { readonly userNids: readonly number[]; readonly readerNid: number | undefined },
): Promise<readonly KeySignatureRow[]> {
  return db.all<KeySignatureRow>(
    sql`SELECT user_nid, target, signer_nid, key_id, signature FROM key_signatures
        WHERE user_nid IN ${integerList(query.userNids)}
          AND (signer_nid = user_nid OR signer_nid = ${query.readerNid ?? 0})
        ORDER BY user_nid, target, signer_nid, key_id`,
  )
}

export function setKeySignature(added: {
  readonly userNid: number
  readonly target: string
  readonly signerNid: number
  readonly keyId: string
  readonly signature: string
}): Statement {
  return statement(
    sql`INSERT INTO key_signatures (user_nid, target, signer_nid, key_id, signature)
        VALUES (${added.userNid}, ${added.target}, ${added.signerNid}, ${added.keyId}, ${added.signature})
        ON CONFLICT (user_nid, target, signer_nid, key_id) DO UPDATE SET signature = excluded.signature`,
  )
}

/** The key that they signed is another one now. */
export function deleteSignaturesOf(key: { readonly userNid: number; readonly target: string }): Statement {
  return statement(sql`DELETE FROM key_signatures WHERE user_nid = ${key.userNid} AND target = ${key.target}`)
}

/** The key that made them is no longer the signer's. */
export function deleteSignaturesBy(key: { readonly signerNid: number; readonly keyId: string }): Statement {
  return statement(sql`DELETE FROM key_signatures WHERE signer_nid = ${key.signerNid} AND key_id = ${key.keyId}`)
}

export function deleteSignaturesAround(userNid: number): Statement {
  return statement(sql`DELETE FROM key_signatures WHERE user_nid = ${userNid} OR signer_nid = ${userNid}`)
}

/** The signatures on the devices themselves; before the rows of the devices go. */
export function deleteSignaturesOfDevices(deviceNids: readonly number[]): Statement {
  return statement(
    sql`DELETE FROM key_signatures WHERE EXISTS (SELECT 1 FROM devices d
        WHERE d.device_nid IN ${integerList(deviceNids)} AND d.user_nid = key_signatures.user_nid
          AND d.device_id = key_signatures.target)`,
  )
}
