/** SQL of one-time keys and fallback keys. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { integerList, sql, textList } from '@holdfast/platform/database/sql'

export type KeyName = { readonly deviceNid: number; readonly algorithm: string; readonly keyId: string }

export type OneTimeKeyRow = { algorithm: string; key_id: string; one_time_key: string; is_claimed: number }

/** Those of a device that have one of these ids, in any algorithm. */
export function oneTimeKeysNamed(
  db: Reader,
  names: { readonly deviceNid: number; readonly algorithms: readonly string[]; readonly keyIds: readonly string[] },
): Promise<readonly OneTimeKeyRow[]> {
  return db.all<OneTimeKeyRow>(
    sql`SELECT algorithm, key_id, one_time_key, is_claimed FROM one_time_keys
        WHERE device_nid = ${names.deviceNid} AND algorithm IN ${textList(names.algorithms)}
          AND key_id IN ${textList(names.keyIds)} ORDER BY algorithm, key_id`,
  )
}

export type KeyCountRow = { algorithm: string; unclaimed: number }

export function oneTimeKeyCounts(db: Reader, deviceNid: number): Promise<readonly KeyCountRow[]> {
  return db.all<KeyCountRow>(
    sql`SELECT algorithm, COUNT(*) AS unclaimed FROM one_time_keys
        WHERE device_nid = ${deviceNid} AND is_claimed = 0 GROUP BY algorithm ORDER BY algorithm`,
  )
}

/** How many uploads of one-time keys the device made. */
export async function lastUpload(db: Reader, deviceNid: number): Promise<number> {
  const row = await db.row<{ upload: number }>(
    sql`SELECT COALESCE(MAX(upload), 0) AS upload FROM one_time_keys WHERE device_nid = ${deviceNid}`,
  )
  return row!.upload
}

/** Breaks its expectation if the device has a key of this name, also one that was claimed. */
export function insertOneTimeKey(key: KeyName & { readonly upload: number; readonly text: string }): Statement {
  return statement(
    sql`INSERT INTO one_time_keys (device_nid, algorithm, key_id, upload, one_time_key, is_claimed)
        VALUES (${key.deviceNid}, ${key.algorithm}, ${key.keyId}, ${key.upload}, ${key.text}, 0)
        ON CONFLICT DO NOTHING`,
    { changes: 1 },
  )
}

/** Makes room for another key of the same name. */
export function forgetClaimedKey(key: KeyName): Statement {
  return statement(
    sql`DELETE FROM one_time_keys WHERE device_nid = ${key.deviceNid} AND algorithm = ${key.algorithm}
        AND key_id = ${key.keyId} AND is_claimed = 1`,
  )
}

/** Forgets claimed keys that came with this upload or before it. */
export function forgetClaimedKeys(claimed: { readonly deviceNid: number; readonly upload: number }): Statement {
  return statement(
    sql`DELETE FROM one_time_keys WHERE device_nid = ${claimed.deviceNid} AND is_claimed = 1
        AND upload <= ${claimed.upload}`,
  )
}

export type ClaimedKeyRow = { key_id: string; one_time_key: string }

/** Gives out the oldest key: at most one row is returned, and no other claim ever gets it. */
export function claimOneTimeKey(of: Omit<KeyName, 'keyId'>): Statement {
  return statement(
    sql`UPDATE one_time_keys SET is_claimed = 1
        WHERE device_nid = ${of.deviceNid} AND algorithm = ${of.algorithm} AND is_claimed = 0
          AND key_id = (SELECT key_id FROM one_time_keys
            WHERE device_nid = ${of.deviceNid} AND algorithm = ${of.algorithm} AND is_claimed = 0
            ORDER BY upload, key_id LIMIT 1)
        RETURNING key_id, one_time_key`,
  )
}

export type FallbackKeyRow = {
  device_nid: number
  algorithm: string
  key_id: string
  fallback_key: string
  is_used: number
}

export function fallbackKeys(db: Reader, deviceNids: readonly number[]): Promise<readonly FallbackKeyRow[]> {
  return db.all<FallbackKeyRow>(
    sql`SELECT device_nid, algorithm, key_id, fallback_key, is_used FROM fallback_keys
        WHERE device_nid IN ${integerList(deviceNids)} ORDER BY device_nid, algorithm`,
  )
}

/** Takes the place of the fallback key of the same algorithm. */
export function setFallbackKey(key: KeyName & { readonly text: string }): Statement {
  return statement(
    sql`INSERT INTO fallback_keys (device_nid, algorithm, key_id, fallback_key, is_used)
        VALUES (${key.deviceNid}, ${key.algorithm}, ${key.keyId}, ${key.text}, 0)
        ON CONFLICT (device_nid, algorithm) DO UPDATE SET key_id = excluded.key_id,
          fallback_key = excluded.fallback_key, is_used = 0`,
  )
}

/** Does nothing if the device has another fallback key by now. */
export function useFallbackKey(key: KeyName): Statement {
  return statement(
    sql`UPDATE fallback_keys SET is_used = 1 WHERE device_nid = ${key.deviceNid} AND algorithm = ${key.algorithm}
        AND key_id = ${key.keyId}`,
  )
}

export function deleteOneTimeKeys(deviceNids: readonly number[]): Statement {
  return statement(sql`DELETE FROM one_time_keys WHERE device_nid IN ${integerList(deviceNids)}`)
}

export function deleteFallbackKeys(deviceNids: readonly number[]): Statement {
  return statement(sql`DELETE FROM fallback_keys WHERE device_nid IN ${integerList(deviceNids)}`)
}
