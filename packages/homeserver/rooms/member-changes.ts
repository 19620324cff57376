/** Whose membership differs between two states of a room. */
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import { diffStateMaps, type StateChange, type StateMap } from '@holdfast/protocol/state/state-map'
import { yieldToLoop } from '@holdfast/platform/clock/yield'
import type { Homeserver } from '../homeserver.ts'
import { MEMBERSHIP_CODES, type Membership } from '../storage/memberships.ts'
import type { MembershipChange, StoredEventRef } from './room-changes.ts'

/** Looked up together. */
const CHANGES_AT_ONCE = 200

export type ChangesDeps = Pick<Homeserver, 'dictionary'> & {
  /** Those of the events that exist, by nid. */
  readonly eventsByNid: (nids: readonly number[]) => Promise<ReadonlyMap<number, Pick<StoredEventRef, 'pdu'>>>
}

/** `positionOffset` is that of the event that caused the change. */
export async function memberChangesBetween(
  deps: ChangesDeps,
  { before, after }: { readonly before: StateMap; readonly after: StateMap },
  positionOffset: number,
): Promise<readonly MembershipChange[]> {
  const differences = diffStateMaps(before, after)
  const changes: MembershipChange[] = []
  for (let start = 0; start < differences.length; start += CHANGES_AT_ONCE) {
    if (start > 0) await yieldToLoop()
    const some = await membersAmong(deps, differences.slice(start, start + CHANGES_AT_ONCE))
    const userNids = await deps.dictionary.internUsers(some.map(({ userId }) => userId))
    for (const [index, change] of some.entries()) changes.push({ ...change, userNid: userNids[index]!, positionOffset })
  }
  return changes
}

type MemberChange = Pick<MembershipChange, 'userId' | 'membership' | 'eventNid'>

async function membersAmong(
  { dictionary, eventsByNid }: ChangesDeps,
  differences: readonly StateChange[],
): Promise<readonly MemberChange[]> {
  const keys = await dictionary.stateKeys(differences.map(({ key }) => key))
  const ofMembers = differences.filter((_, index) => keys[index]!.type === 'm.room.member')
  const events = await eventsByNid(ofMembers.flatMap(({ after }) => after ?? []))
  return differences.flatMap((change, index): readonly MemberChange[] => {
    const { type, stateKey } = keys[index]!
    const userId = type === 'm.room.member' ? parseUserId(stateKey) : undefined
    const eventNid = (change.after ?? change.before)!
    // Who has no member event any more is in the room no more.
    const membership = change.after === undefined ? 'leave' : events.get(eventNid)?.pdu.content['membership']
    if (userId === undefined || typeof membership !== 'string' || !Object.hasOwn(MEMBERSHIP_CODES, membership))
      return []
    return [{ userId, membership: membership as Membership, eventNid }]
  })
}
