/** Leases of integer ids, in blocks, so that an id is known before the commit that uses it. */
import { statement, type Database, type Statement } from '@holdfast/platform/database/database'
import { sql } from '@holdfast/platform/database/sql'

/** Leases `count` ids of `kind`; the answer's `next_nid` is one past the block. */
export function leaseNids(kind: string, count: number): Statement {
  return statement(
    sql`INSERT INTO nid_blocks (kind, next_nid) VALUES (${kind}, ${count + 1})
        ON CONFLICT (kind) DO UPDATE SET next_nid = nid_blocks.next_nid + ${count} RETURNING next_nid`,
    { rows: 1 },
  )
}

/** Gives out integer ids of one kind. Ids rise; gaps appear after a restart. */
export type NidAllocator = {
  /** `count` ids that nobody else is given. */
  take(count: number): Promise<readonly number[]>
}

/** Where events, states and rooms get their ids. An event's id is greater than those of the events that authorise it. */
export type RoomNids = {
  readonly events: NidAllocator
  readonly states: NidAllocator
  readonly rooms: NidAllocator
}

export function openRoomNids(db: Pick<Database, 'commit'>): RoomNids {
  return {
    events: openNidAllocator(db, 'event'),
    states: openNidAllocator(db, 'state'),
    rooms: openNidAllocator(db, 'room'),
  }
}

const BLOCK_SIZE = 4096

export function openNidAllocator(db: Pick<Database, 'commit'>, kind: string): NidAllocator {
  let next = 0
  let end = 0
  let leasing: Promise<void> | undefined

  async function lease(count: number): Promise<void> {
    const size = Math.max(count, BLOCK_SIZE)
    const { results } = await db.commit([leaseNids(kind, size)])
    end = results[0]!.rows[0]!['next_nid'] as number
    next = end - size
  }

  async function take(count: number): Promise<readonly number[]> {
    while (end - next < count) {
      leasing ??= lease(count).finally(() => {
        leasing = undefined
      })
      await leasing
    }
    const first = next
    next += count
    return Array.from({ length: count }, (_, index) => first + index)
  }

  return { take }
}
