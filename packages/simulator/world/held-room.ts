/** All that a server holds of a room. */
import type { StoredEvent } from '@holdfast/homeserver/rooms/event-store'
import { EVENT_FLAGS, HIDDEN_FLAGS } from '@holdfast/homeserver/storage/events'
import type { EventId, RoomId } from '@holdfast/protocol/ids/brand'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import { eventNidsInRoom } from '../storage/inspections.ts'
import type { SimulatedServer } from './server.ts'

export type HeldRoom = {
  readonly server: SimulatedServer
  readonly roomId: string
  readonly rules: RoomRules
  readonly events: ReadonlyMap<EventId, StoredEvent>
  readonly extremities: readonly StoredEvent[]
}

export async function heldRooms(
  servers: readonly SimulatedServer[],
  rooms: readonly string[],
): Promise<readonly HeldRoom[]> {
  const held: HeldRoom[] = []
  for (const server of servers) {
    for (const roomId of rooms) {
      const head = await server.parts.heads.byId(roomId as RoomId)
      if (head === undefined) continue
      const nids = await eventNidsInRoom(server.disk, head.roomNid)
      const stored = await server.parts.events.byNids(nids)
      const events = new Map([...stored.values()].map((event) => [event.pdu.eventId, event] as const))
      held.push({ server, roomId, rules: head.rules, events, extremities: head.extremities })
    }
  }
  return held
}

export function isRejected({ flags }: Pick<StoredEvent, 'flags'>): boolean {
  return (flags & EVENT_FLAGS.rejected) !== 0
}

export function isSoftFailed({ flags }: Pick<StoredEvent, 'flags'>): boolean {
  return (flags & EVENT_FLAGS.softFailed) !== 0
}

/** Part of the room's graph, for users to see. */
export function isAccepted({ flags }: Pick<StoredEvent, 'flags'>): boolean {
  return (flags & HIDDEN_FLAGS) === 0
}
