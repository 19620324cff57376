/** SQL of state snapshots. */
import { statement, type Reader, type Statement } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'

export type SnapshotRow = { state_nid: number; sequence: number; anchor_nid: number | null; delta: Uint8Array }

export function snapshot(db: Reader, stateNid: number): Promise<SnapshotRow | undefined> {
  return db.row<SnapshotRow>(
    sql`SELECT state_nid, sequence, anchor_nid, delta FROM state_snapshots WHERE state_nid = ${stateNid}`,
  )
}

export function insertSnapshot(snapshot: {
  readonly stateNid: number
  readonly roomNid: number
  readonly sequence: number
  readonly anchorNid: number | null
  readonly delta: Uint8Array
}): Statement {
  return statement(
    sql`INSERT INTO state_snapshots (state_nid, room_nid, sequence, anchor_nid, delta)
        VALUES (${snapshot.stateNid}, ${snapshot.roomNid}, ${snapshot.sequence}, ${snapshot.anchorNid}, ${snapshot.delta})`,
    { changes: 1 },
  )
}
