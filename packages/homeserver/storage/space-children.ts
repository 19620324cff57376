/** SQL of the rooms that spaces name. */
import type { Reader } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'

/** All state keys of a type, of whatever room. */
export function stateKeysOfType(db: Reader, type: string): Promise<readonly number[]> {
  return db.column(sql`SELECT state_key_nid FROM state_keys WHERE type = ${type} ORDER BY state_key_nid`)
}
