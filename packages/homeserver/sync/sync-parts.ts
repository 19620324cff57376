/** What other folders contribute to a sync answer: account data, receipts, typing, presence, to-device messages. */
import type { UserMembership } from '../rooms/user-memberships.ts'
import type { RoomExtras } from './room-section.ts'
import type { SyncContext } from './sync-context.ts'

/** Name and JSON text of top-level members; without those that have nothing to tell. */
export type GlobalParts = readonly (readonly [name: string, text: string])[]

export async function globalParts(
  _context: SyncContext,
  _memberships: ReadonlyMap<number, UserMembership>,
): Promise<GlobalParts> {
  return []
}

/** `since` is undefined where the client has nothing of the room. */
export async function roomExtras(
  _context: SyncContext,
  _membership: UserMembership,
  _since: number | undefined,
): Promise<RoomExtras> {
  return { ephemeral: [], accountData: [] }
}
