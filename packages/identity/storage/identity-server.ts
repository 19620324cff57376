/** SQL of the name that the service signs under, one row. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'

/** Undefined before the first start. */
export async function ownServerName(db: Reader): Promise<string | undefined> {
  const row = await db.row<{ server_name: string }>(sql`SELECT server_name FROM identity_server WHERE only_row = 1`)
  return row?.server_name
}

export function insertOwnServerName(serverName: string): Statement {
  return statement(
    sql`INSERT INTO identity_server (only_row, server_name) VALUES (1, ${serverName}) ON CONFLICT DO NOTHING`,
  )
}
