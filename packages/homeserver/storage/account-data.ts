/** SQL of account data. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { position, sql } from '@holdfast/platform/database/sql'

/** Room nid 0: of the user as a whole. */
export type AccountDataKey = { readonly userNid: number; readonly roomNid: number; readonly type: string }
export type AccountDataRow = { room_nid: number; type: string; content: string; position: number }

export function accountDataRow(db: Reader, key: AccountDataKey): Promise<AccountDataRow | undefined> {
  return db.row<AccountDataRow>(
    sql`SELECT room_nid, type, content, position FROM account_data
        WHERE user_nid = ${key.userNid} AND room_nid = ${key.roomNid} AND type = ${key.type}`,
  )
}

/** All changes of a user in (after, upTo], in all rooms and in none. */
export function accountDataChanges(
  db: Reader,
  range: { readonly userNid: number; readonly after: number; readonly upTo: number },
): Promise<readonly AccountDataRow[]> {
  return db.all<AccountDataRow>(
    sql`SELECT room_nid, type, content, position FROM account_data
        WHERE user_nid = ${range.userNid} AND position > ${range.after} AND position <= ${range.upTo}
        ORDER BY position, type`,
  )
}

export function accountDataOfRoom(
  db: Reader,
  whose: { readonly userNid: number; readonly roomNid: number },
): Promise<readonly AccountDataRow[]> {
  return db.all<AccountDataRow>(
    sql`SELECT room_nid, type, content, position FROM account_data
        WHERE user_nid = ${whose.userNid} AND room_nid = ${whose.roomNid} ORDER BY position, type`,
  )
}

/** Takes the position of offset 0. */
export function setAccountDataRow(key: AccountDataKey, content: string): Statement {
  return statement(
    sql`INSERT INTO account_data (user_nid, room_nid, type, content, position)
        VALUES (${key.userNid}, ${key.roomNid}, ${key.type}, ${content}, ${position()})
        ON CONFLICT (user_nid, room_nid, type) DO UPDATE SET content = excluded.content, position = excluded.position`,
    { changes: 1 },
  )
}

/** Like `setAccountDataRow`, but breaks its expectation if the row is not the one of `fromPosition` (0: no row) any more. */
export function replaceAccountDataRow(
  key: AccountDataKey,
  change: { content: string; fromPosition: number },
): Statement {
  return statement(
    sql`INSERT INTO account_data (user_nid, room_nid, type, content, position)
        SELECT ${key.userNid}, ${key.roomNid}, ${key.type}, ${change.content}, ${position()}
        WHERE ${change.fromPosition} = COALESCE((SELECT position FROM account_data
          WHERE user_nid = ${key.userNid} AND room_nid = ${key.roomNid} AND type = ${key.type}), 0)
        ON CONFLICT (user_nid, room_nid, type) DO UPDATE SET content = excluded.content, position = excluded.position`,
    { changes: 1 },
  )
}

export function deleteAccountDataOfUser(userNid: number): Statement {
  return statement(sql`DELETE FROM account_data WHERE user_nid = ${userNid}`)
}
