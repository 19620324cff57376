/** SQL of registration tokens. They are shared by hand, are no credential of an account, and stay readable for who administers them. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'

export type RegistrationTokenRow = {
  token: string
  uses_allowed: number | null
  uses: number
  created_ms: number
  expires_ms: number | null
}

export function registrationToken(db: Reader, token: string): Promise<RegistrationTokenRow | undefined> {
  return db.row<RegistrationTokenRow>(
    sql`SELECT token, uses_allowed, uses, created_ms, expires_ms FROM registration_tokens WHERE token = ${token}`,
  )
}

/** Breaks its expectation if there is such a token. */
export function insertRegistrationToken(token: {
  readonly token: string
  readonly usesAllowed: number | undefined
  readonly createdMs: number
  readonly expiresMs: number | undefined
}): Statement {
  return statement(
    sql`INSERT INTO registration_tokens (token, uses_allowed, uses, created_ms, expires_ms)
        VALUES (${token.token}, ${token.usesAllowed ?? null}, 0, ${token.createdMs}, ${token.expiresMs ?? null})
        ON CONFLICT DO NOTHING`,
    { changes: 1 },
  )
}

/** Counts one registration. Breaks its expectation if the token has expired or is used up. */
export function useRegistrationToken(token: string, nowMs: number): Statement {
  return statement(
    sql`UPDATE registration_tokens SET uses = uses + 1
        WHERE token = ${token} AND (uses_allowed IS NULL OR uses < uses_allowed)
          AND (expires_ms IS NULL OR expires_ms > ${nowMs})`,
    { changes: 1 },
  )
}
