/** Whose membership differs between two states of a room. */
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import { diffStateMaps, type StateMap } from '@holdfast/protocol/state/state-map'
import { yieldToLoop } from '@holdfast/platform/clock/yield'
import type { Homeserver } from '../homeserver.ts'
import { MEMBERSHIP_CODES, type Membership } from '../storage/memberships.ts'
import type { MembershipChange, StoredEventRef } from './room-changes.ts'

/** Looked at in one turn of the event loop. */
const CHANGES_PER_TURN = 200

/** `positionOffset` is that of the event that caused the change. */
export async function memberChangesBetween(
  deps: Pick<Homeserver, 'dictionary'> & { readonly event: (nid: number) => Promise<StoredEventRef | undefined> },
  { before, after }: { readonly before: StateMap; readonly after: StateMap },
  positionOffset: number,
): Promise<readonly MembershipChange[]> {
  const changes: MembershipChange[] = []
  for (const [index, change] of diffStateMaps(before, after).entries()) {
    if (index > 0 && index % CHANGES_PER_TURN === 0) await yieldToLoop()
    const nid = (change.after ?? change.before)!
    const pdu = (await deps.event(nid))?.pdu
    if (pdu?.type !== 'm.room.member' || pdu.stateKey === undefined) continue
    const userId = parseUserId(pdu.stateKey)
    // Who has no member event any more is in the room no more.
    const membership = change.after === undefined ? 'leave' : pdu.content['membership']
    if (userId === undefined || typeof membership !== 'string' || !Object.hasOwn(MEMBERSHIP_CODES, membership)) continue
    const userNid = await deps.dictionary.internUser(userId)
    changes.push({ userNid, userId, membership: membership as Membership, eventNid: nid, positionOffset })
  }
  return changes
}
