/** SQL of the server's own name and signing key: one row. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'

export type ServerIdentityRow = { server_name: string; key_id: string; seed: Uint8Array }

export function serverIdentity(db: Reader): Promise<ServerIdentityRow | undefined> {
  return db.row<ServerIdentityRow>(sql`SELECT server_name, key_id, seed FROM server_identity WHERE only_row = 1`)
}

export function insertServerIdentity(identity: {
  readonly serverName: string
  readonly keyId: string
  readonly seed: Uint8Array
}): Statement {
  return statement(
    sql`INSERT INTO server_identity (only_row, server_name, key_id, seed)
        VALUES (1, ${identity.serverName}, ${identity.keyId}, ${identity.seed}) ON CONFLICT DO NOTHING`,
  )
}
