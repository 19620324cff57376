/** The events of a transaction, sorted by room; no room waits for another, and no event harms its neighbours. */
import type { EventId, RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import { parseRoomId } from '@holdfast/protocol/ids/room-id'
import { MatrixError } from '@holdfast/protocol/errors'
import { parsePdu } from '@holdfast/protocol/event/format'
import { roomAcl } from '../room-acl.ts'
import { isResident, type RoomHead } from '../room-heads.ts'
import type { ReceivedValue } from './check-incoming.ts'
import { receiveOutside, type ReceiveOutsideDeps } from './receive-outside.ts'
import { receivePdus, type PduResult, type ReceiveDeps } from './receive-pdus.ts'

/** @returns what became of each event that has an id; the others are not heard of */
export async function receiveTransactionPdus(
  deps: ReceiveDeps & ReceiveOutsideDeps,
  origin: ServerName,
  values: readonly ReceivedValue[],
): Promise<ReadonlyMap<EventId, PduResult>> {
  const byRoom = new Map<RoomId, ReceivedValue[]>()
  for (const received of values) {
    const roomId = typeof received.value['room_id'] === 'string' ? parseRoomId(received.value['room_id']) : undefined
    if (roomId === undefined) continue
    const list = byRoom.get(roomId)
    if (list === undefined) byRoom.set(roomId, [received])
    else list.push(received)
  }
  const results = new Map<EventId, PduResult>()
  const rooms = [...byRoom].map(async ([roomId, some]) => {
    for (const [eventId, result] of await receiveInRoom(deps, { origin, roomId }, some)) results.set(eventId, result)
  })
  await Promise.all(rooms)
  return results
}

async function receiveInRoom(
  deps: ReceiveDeps & ReceiveOutsideDeps,
  { origin, roomId }: { readonly origin: ServerName; readonly roomId: RoomId },
  values: readonly ReceivedValue[],
): Promise<ReadonlyMap<EventId, PduResult>> {
  const head = await deps.heads.byId(roomId)
  // Events of rooms that nobody here is in have no id that we could name: their version is not known.
  if (head === undefined) return new Map()
  if (isResident(head) && !(await roomAcl(deps, head)).allows(origin)) {
    return allRefused(head, values, `The room's access control list shuts ${origin} out.`)
  }
  try {
    if (!isResident(head)) return await receiveOutside(deps, { origin, head }, values)
    return await receivePdus(deps, { origin, room: head }, values)
  } catch (error) {
    if (error instanceof MatrixError) return allRefused(head, values, error.message)
    throw error
  }
}

function allRefused(
  { rules }: RoomHead,
  values: readonly ReceivedValue[],
  error: string,
): ReadonlyMap<EventId, PduResult> {
  const results = new Map<EventId, PduResult>()
  for (const { value, exact } of values) {
    const parsed = parsePdu(value, rules, exact)
    if (parsed.ok) results.set(parsed.pdu.eventId, { error })
  }
  return results
}
