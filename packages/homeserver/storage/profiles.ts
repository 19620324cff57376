/** SQL of profiles: one JSON object for each user. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'

export function profileOf(db: Reader, userNid: number): Promise<{ version: number; fields: string } | undefined> {
  return db.row(sql`SELECT version, fields FROM profiles WHERE user_nid = ${userNid}`)
}

/** Writes a profile that was read at `version`, 0 if there was none. Breaks its expectation if it changed meanwhile. */
export function writeProfile(profile: {
  readonly userNid: number
  readonly version: number
  readonly fields: string
}): Statement {
  return statement(
    sql`INSERT INTO profiles (user_nid, version, fields) VALUES (${profile.userNid}, ${profile.version + 1}, ${profile.fields})
        ON CONFLICT (user_nid) DO UPDATE SET version = profiles.version + 1, fields = excluded.fields
          WHERE profiles.version = ${profile.version}`,
    { changes: 1 },
  )
}

/** Empties a profile. A read that began before cannot be mistaken for a newer one. */
export function eraseProfile(userNid: number): Statement {
  return statement(
    sql`UPDATE profiles SET version = version + 1, fields = '{}' WHERE user_nid = ${userNid} RETURNING version`,
  )
}
