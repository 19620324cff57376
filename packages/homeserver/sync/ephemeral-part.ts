/** Typing and receipts of a room in a sync. */
import { passesNothing, passesRoomEventFilter } from '@holdfast/protocol/filter/match'
import { receiptContents } from '../receipts/receipt-events.ts'
import type { SyncContext } from './sync-context.ts'

export type EphemeralRoom = { readonly roomNid: number; readonly roomId: string; readonly since: number | undefined }

/** As JSON texts. */
export async function ephemeralEvents(context: SyncContext, room: EphemeralRoom): Promise<readonly string[]> {
  const filter = context.filter.room.ephemeral
  if (passesNothing(filter)) return []
  const passes = (type: string): boolean => passesRoomEventFilter(filter, { type, roomId: room.roomId, content: {} })
  const typing = passes('m.typing') ? await typingContents(context, room) : []
  const receipts = passes('m.receipt') ? await receiptsOf(context, room) : []
  return [
    ...typing.map((content) => `{"type":"m.typing","content":${content}}`),
    ...receipts.map((content) => `{"type":"m.receipt","content":${content}}`),
  ]
}

async function receiptsOf(context: SyncContext, { roomNid, since }: EphemeralRoom): Promise<readonly string[]> {
  const { deps, requester, ignored, upTo } = context
  return receiptContents(deps, { roomNid, reader: requester, ignored, after: since, upTo })
}

/** A client that has nothing of the room need not hear that nobody types. */
async function typingContents(
  { deps, ignored }: SyncContext,
  { roomNid, since }: EphemeralRoom,
): Promise<readonly string[]> {
  const told = since === undefined ? deps.typing.now(roomNid) : await deps.typing.changedSince(roomNid, since)
  if (told === undefined || (since === undefined && told.length === 0)) return []
  const { joined } = (await deps.heads.byNid(roomNid)).members
  const userIds = await deps.dictionary.userIds(told.filter((userNid) => joined.has(userNid)))
  return [JSON.stringify({ user_ids: userIds.filter((userId) => !ignored.has(userId)) })]
}
