/** SQL of the dictionaries: users, event types, state keys and their integer ids. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { integerList, sql, textList } from '@holdfast/platform/database/sql'

export function userNid(db: Reader, userId: string): Promise<{ user_nid: number } | undefined> {
  return db.row(sql`SELECT user_nid FROM users WHERE user_id = ${userId}`)
}

export function userIds(
  db: Reader,
  nids: readonly number[],
): Promise<readonly { user_nid: number; user_id: string }[]> {
  return db.all(sql`SELECT user_nid, user_id FROM users WHERE user_nid IN ${integerList(nids)} ORDER BY user_nid`)
}

export function userNids(
  db: Reader,
  ids: readonly string[],
): Promise<readonly { user_nid: number; user_id: string }[]> {
  return db.all(sql`SELECT user_nid, user_id FROM users WHERE user_id IN ${textList(ids)} ORDER BY user_nid`)
}

export function insertUser(nid: number, userId: string): Statement {
  return statement(sql`INSERT INTO users (user_nid, user_id) VALUES (${nid}, ${userId}) ON CONFLICT DO NOTHING`)
}

export function eventTypeNid(db: Reader, type: string): Promise<{ type_nid: number } | undefined> {
  return db.row(sql`SELECT type_nid FROM event_types WHERE type = ${type}`)
}

export function insertEventType(nid: number, type: string): Statement {
  return statement(sql`INSERT INTO event_types (type_nid, type) VALUES (${nid}, ${type}) ON CONFLICT DO NOTHING`)
}

export function stateKeyNid(
  db: Reader,
  key: { readonly type: string; readonly stateKey: string },
): Promise<{ state_key_nid: number } | undefined> {
  return db.row(sql`SELECT state_key_nid FROM state_keys WHERE type = ${key.type} AND state_key = ${key.stateKey}`)
}

export function stateKeyNidsOfType(
  db: Reader,
  keys: { readonly type: string; readonly stateKeys: readonly string[] },
): Promise<readonly { state_key_nid: number; state_key: string }[]> {
  return db.all(
    sql`SELECT state_key_nid, state_key FROM state_keys
        WHERE type = ${keys.type} AND state_key IN ${textList(keys.stateKeys)} ORDER BY state_key_nid`,
  )
}

export function stateKeys(
  db: Reader,
  nids: readonly number[],
): Promise<readonly { state_key_nid: number; type: string; state_key: string }[]> {
  return db.all(
    sql`SELECT state_key_nid, type, state_key FROM state_keys
        WHERE state_key_nid IN ${integerList(nids)} ORDER BY state_key_nid`,
  )
}

export function insertStateKey(nid: number, key: { readonly type: string; readonly stateKey: string }): Statement {
  return statement(
    sql`INSERT INTO state_keys (state_key_nid, type, state_key)
        VALUES (${nid}, ${key.type}, ${key.stateKey}) ON CONFLICT DO NOTHING`,
  )
}
