/** SQL of rooms that users have forgotten. */
import type { Reader } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'
import type { MembershipRow } from './memberships.ts'

/** Those that the user left at a position of the range, which is open below. */
export function forgottenMemberships(
  db: Reader,
  range: { readonly userNid: number; readonly after: number; readonly upTo: number },
): Promise<readonly MembershipRow[]> {
  return db.all<MembershipRow>(
    sql`SELECT room_nid, user_nid, membership, event_nid, position, forgotten FROM memberships
        WHERE user_nid = ${range.userNid} AND forgotten <> 0 AND position > ${range.after} AND position <= ${range.upTo}
        ORDER BY room_nid`,
  )
}
