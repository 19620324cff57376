/** SQL of who of another server was ever in a room. */
import type { Reader } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'

/**
 * State keys of the members that a server has or had in a room, those who are in it now first. The comparison may forgive
 * capitals, and a suffix may be part of a longer name: the caller looks at the user ids.
 */
export function memberKeysOfServer(
  db: Reader,
  query: { readonly roomNid: number; readonly server: string },
): Promise<readonly { state_key_nid: number; user_id: string }[]> {
  // Nothing in a server name means anything to LIKE.
  return db.all(
    sql`SELECT k.state_key_nid, u.user_id FROM memberships m
        JOIN users u ON u.user_nid = m.user_nid
        JOIN state_keys k ON k.type = 'm.room.member' AND k.state_key = u.user_id
        WHERE m.room_nid = ${query.roomNid} AND u.user_id LIKE ${`%:${query.server}`}
        ORDER BY m.membership, m.user_nid`,
  )
}
