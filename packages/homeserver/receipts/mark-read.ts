/**
 * How far a user has read: receipts and the fully-read marker, moved together and never back.
 * <https://spec.matrix.org/v1.19/client-server-api/#receipts>, <https://spec.matrix.org/v1.19/client-server-api/#fully-read-markers>
 */
import { ExpectationFailed, type Statement } from '@holdfast/platform/database/database'
import { matrixError } from '@holdfast/protocol/errors'
import { parseEventId } from '@holdfast/protocol/ids/event-id'
import type { EventId, RoomId, UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { publishAccountData } from '../account-data/account-data.ts'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import type { StoredEvent } from '../rooms/event-store.ts'
import { joinedRoom } from '../rooms/room-access.ts'
import type { RoomHead } from '../rooms/room-heads.ts'
import { visibleEvents } from '../rooms/visible-events.ts'
import { accountDataRow, replaceAccountDataRow } from '../storage/account-data.ts'
import { HIDDEN_FLAGS } from '../storage/events.ts'
import { moveReceipt, receiptRow, type ReceiptType } from '../storage/receipts.ts'
import { threadNid, type NamedThread } from './thread.ts'

export const FULLY_READ = 'm.fully_read'

/** One marker and where it is to stand. */
export type Mark = {
  readonly type: ReceiptType | typeof FULLY_READ
  readonly eventId: EventId
  readonly thread: NamedThread
}

type Reader = { readonly head: RoomHead; readonly userNid: number; readonly userId: UserId }
type PlacedMark = Pick<Mark, 'type' | 'thread'> & { readonly event: StoredEvent; readonly threadNid: number }

/** Markers of one user that move at the same moment: a commit may be tried again as often as this. */
const TRIES_MAX = 20

/**
 * Moves the markers in one commit; those that would move back stay where they are.
 * @throws {MatrixError} M_FORBIDDEN if the user is not in the room, M_NOT_FOUND for an event they cannot see there,
 *   M_INVALID_PARAM if it is not of the thread
 */
export async function markRead(
  deps: Homeserver,
  requester: Requester,
  request: { readonly roomId: RoomId; readonly marks: readonly Mark[] },
): Promise<void> {
  const head = await joinedRoom(deps, { userNid: requester.userNid, roomId: request.roomId })
  const marks: PlacedMark[] = []
  for (const mark of request.marks) marks.push(await place(deps, requester, head, mark))
  const reader = { head, userNid: requester.userNid, userId: requester.userId }
  for (let tries = 0; tries < TRIES_MAX; tries += 1) if (await tryToMove(deps, reader, marks)) return
  throw matrixError('M_LIMIT_EXCEEDED', 'These markers are being moved too often. Try again.', {
    extra: { retry_after_ms: 1000 },
  })
}

async function place(deps: Homeserver, requester: Requester, head: RoomHead, mark: Mark): Promise<PlacedMark> {
  const event = await deps.events.inRoom(head.roomNid, mark.eventId)
  const isHidden = event === undefined || (event.flags & HIDDEN_FLAGS) !== 0
  if (isHidden || (await visibleEvents(deps, requester, [event])).length === 0) {
    throw matrixError('M_NOT_FOUND', 'There is no such event in this room that you may see.')
  }
  return { type: mark.type, thread: mark.thread, event, threadNid: await threadNid(deps, event, mark.thread) }
}

/** @returns false if a marker was moved by somebody else meanwhile */
async function tryToMove(deps: Homeserver, reader: Reader, marks: readonly PlacedMark[]): Promise<boolean> {
  const moves: { readonly mark: PlacedMark; readonly statement: Statement }[] = []
  for (const mark of marks) {
    const statement =
      mark.type === FULLY_READ
        ? await fullyReadMove(deps, reader, mark)
        : await receiptMove(deps, reader, mark, mark.type)
    if (statement !== undefined) moves.push({ mark, statement })
  }
  if (moves.length === 0) return true
  try {
    await deps.streams.commit(
      moves.map(({ statement }) => statement),
      {
        positions: 1,
        publish: (position) =>
          publish(
            deps,
            reader,
            moves.map(({ mark }) => mark),
            position,
          ),
      },
    )
    return true
  } catch (error) {
    if (error instanceof ExpectationFailed) return false
    throw error
  }
}

async function receiptMove(
  deps: Homeserver,
  { head, userNid }: Reader,
  { event, threadNid }: PlacedMark,
  type: ReceiptType,
): Promise<Statement | undefined> {
  const key = { roomNid: head.roomNid, userNid, type, threadNid }
  const row = await receiptRow(deps.db, key)
  if (row !== undefined && row.event_position >= event.position) return undefined
  return moveReceipt(key, {
    eventNid: event.nid,
    eventPosition: event.position,
    receivedMs: deps.clock.nowMs(),
    fromPosition: row?.position ?? 0,
  })
}

async function fullyReadMove(
  deps: Homeserver,
  { head, userNid }: Reader,
  { event }: PlacedMark,
): Promise<Statement | undefined> {
  const key = { roomNid: head.roomNid, userNid, type: FULLY_READ }
  const row = await accountDataRow(deps.db, key)
  const stands = row === undefined ? undefined : await markedEvent(deps, head, row.content)
  if (stands !== undefined && stands.position >= event.position) return undefined
  const content = JSON.stringify({ event_id: event.pdu.eventId })
  return replaceAccountDataRow(key, { content, fromPosition: row?.position ?? 0 })
}

/** The event that the marker names. */
function markedEvent(deps: Homeserver, head: RoomHead, content: string): Promise<StoredEvent | undefined> {
  const { event_id: raw } = JSON.parse(content) as JsonObject
  const eventId = typeof raw === 'string' ? parseEventId(raw) : undefined
  return eventId === undefined ? Promise.resolve(undefined) : deps.events.inRoom(head.roomNid, eventId)
}

function publish(deps: Homeserver, reader: Reader, moved: readonly PlacedMark[], position: number): void {
  const { head, userNid } = reader
  const { roomNid } = head
  const types = moved.map(({ type }) => type)
  if (types.includes(FULLY_READ)) publishAccountData(deps, { userNid, roomNid }, position)
  if (!types.some((type) => type !== FULLY_READ)) return
  deps.receiptPositions.moved(roomNid, position)
  // A private receipt concerns its owner alone: nobody else is woken, and no other server is told.
  const joined = types.includes('m.read') ? head.members.joined : new Set([userNid])
  deps.receiptWaker.moved({ roomNid, position, userNid, joined })
  for (const mark of moved) if (mark.type === 'm.read') tellOthers(deps, reader, mark)
}

function tellOthers(deps: Homeserver, { head, userId }: Reader, { event, thread }: PlacedMark): void {
  const { eventId } = event.pdu
  deps.receiptSender.moved({ roomNid: head.roomNid, userId, eventId, threadId: thread, atMs: deps.clock.nowMs() })
}
