/** SQL of profiles: one JSON object for each user. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { bool, sql } from '@holdfast/platform/database/sql'

export function profileOf(db: Reader, userNid: number): Promise<{ version: number; fields: string } | undefined> {
  return db.row(sql`SELECT version, fields FROM profiles WHERE user_nid = ${userNid}`)
}

/** Writes a profile that was read at `version`, 0 if there was none. Breaks its expectation if it changed meanwhile. */
export function writeProfile(profile: {
  readonly userNid: number
  readonly version: number
  readonly fields: string
  /** Whether the user's rooms have to be told. */
  readonly untold: boolean
}): Statement {
  return statement(
    sql`INSERT INTO profiles (user_nid, version, fields, is_untold)
        VALUES (${profile.userNid}, ${profile.version + 1}, ${profile.fields}, ${bool(profile.untold)})
        ON CONFLICT (user_nid) DO UPDATE SET version = profiles.version + 1, fields = excluded.fields,
            is_untold = CASE WHEN excluded.is_untold = 1 THEN 1 ELSE profiles.is_untold END
          WHERE profiles.version = ${profile.version}`,
    { changes: 1 },
  )
}

/** Users whose rooms do not all show their newest name and avatar. */
export function untoldUsers(db: Reader): Promise<readonly { user_nid: number; user_id: string }[]> {
  return db.all(
    sql`SELECT p.user_nid, u.user_id FROM profiles p JOIN users u ON u.user_nid = p.user_nid
        WHERE p.is_untold = 1 ORDER BY p.user_nid`,
  )
}

/** The rooms were told of the profile as it was at `version`; a newer one has still to be told. */
export function profileTold({ userNid, version }: { readonly userNid: number; readonly version: number }): Statement {
  return statement(sql`UPDATE profiles SET is_untold = 0 WHERE user_nid = ${userNid} AND version = ${version}`)
}

/** Empties a profile. A read that began before cannot be mistaken for a newer one. */
export function eraseProfile(userNid: number): Statement {
  return statement(
    sql`UPDATE profiles SET version = version + 1, fields = '{}', is_untold = 0 WHERE user_nid = ${userNid} RETURNING version`,
  )
}
