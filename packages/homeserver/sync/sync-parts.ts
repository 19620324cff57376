/** What other folders contribute to a sync answer: account data, receipts, typing, presence, to-device messages. */
import { presenceEvents } from '../presence/presence-events.ts'
import type { UserMembership } from '../rooms/user-memberships.ts'
import { pendingMessages, type PendingMessages } from '../to-device/pending.ts'
import { globalAccountData, pushRulesEvent, roomAccountData } from './account-data-part.ts'
import { ephemeralEvents } from './ephemeral-part.ts'
import type { RoomExtras } from './room-section.ts'
import type { SyncContext } from './sync-context.ts'

/** Name and JSON text of top-level members; without those that have nothing to tell. */
export type GlobalParts = readonly (readonly [name: string, text: string])[]

/** Clients from before /sync ask for their push rules, and do not expect them among the account data. */
export async function globalParts(
  context: SyncContext,
  memberships: ReadonlyMap<number, UserMembership>,
  pushRules: 'with-push-rules' | 'without-push-rules',
): Promise<GlobalParts> {
  const rules = pushRules === 'with-push-rules' ? pushRulesEvent(context) : []
  return [
    ...part('account_data', [...(await globalAccountData(context)), ...rules]),
    ...part('presence', await presenceEvents(context, memberships)),
  ]
}

/** The messages that wait for the device. Part of /sync alone: only its tokens acknowledge them. */
export async function toDevicePart(
  context: SyncContext,
  after: number | undefined,
): Promise<{ readonly parts: GlobalParts; readonly end: number | undefined }> {
  const { deps, requester, upTo } = context
  const { texts, end }: PendingMessages =
    after !== undefined && deps.streams.userPosition(requester.userNid) <= after
      ? { texts: [], end: undefined }
      : await pendingMessages(deps, { deviceNid: requester.deviceNid, after: after ?? 0, upTo })
  return { parts: part('to_device', texts), end }
}

function part(name: string, events: readonly string[]): GlobalParts {
  return events.length === 0 ? [] : [[name, `{"events":[${events.join(',')}]}`]]
}

/** `since` is undefined where the client has nothing of the room. */
export async function roomExtras(
  context: SyncContext,
  { roomNid, membership }: UserMembership,
  since: number | undefined,
): Promise<RoomExtras> {
  const { roomId } = await context.deps.events.room(roomNid)
  const room = { roomNid, roomId, since }
  return {
    // Who left hears no more of those who stayed.
    ephemeral: membership === 'join' ? await ephemeralEvents(context, room) : [],
    accountData: await roomAccountData(context, room),
  }
}
