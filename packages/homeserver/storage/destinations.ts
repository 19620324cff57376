/** SQL of other servers as destinations. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'

export type DestinationRow = {
  destination_nid: number
  failing_since_ms: number | null
  retry_at_ms: number | null
  interval_ms: number
  last_success_ms: number | null
  last_error: string | null
}

export function destination(db: Reader, serverName: string): Promise<DestinationRow | undefined> {
  return db.row<DestinationRow>(
    sql`SELECT destination_nid, failing_since_ms, retry_at_ms, interval_ms, last_success_ms, last_error
        FROM destinations WHERE server_name = ${serverName}`,
  )
}

export function insertDestination(nid: number, serverName: string): Statement {
  return statement(
    sql`INSERT INTO destinations (destination_nid, server_name, interval_ms) VALUES (${nid}, ${serverName}, 0)
        ON CONFLICT DO NOTHING`,
  )
}

export function updateDestination(row: DestinationRow): Statement {
  return statement(
    sql`UPDATE destinations SET failing_since_ms = ${row.failing_since_ms}, retry_at_ms = ${row.retry_at_ms},
          interval_ms = ${row.interval_ms}, last_success_ms = ${row.last_success_ms}, last_error = ${row.last_error}
        WHERE destination_nid = ${row.destination_nid}`,
  )
}
