/** Room ids: with a server name up to room version 11, the hash of the create event since 12. <https://spec.matrix.org/v1.19/appendices/#room-ids> */
import type { EventId, RoomId, ServerName } from './brand.ts'
import { isDomainId } from './common.ts'

const HASH_ROOM_ID = /^![A-Za-z0-9_-]{43}$/

export function parseRoomId(raw: string): RoomId | undefined {
  return isHashRoomId(raw) || isDomainId(raw, '!') ? (raw as RoomId) : undefined
}

/** Whether the id is a hash, as in room version 12 and later. */
export function isHashRoomId(roomId: string): boolean {
  return HASH_ROOM_ID.test(roomId)
}

/** The server in the id, undefined when there is none. It made the room; it need not be in it any more. */
export function serverNameOfRoomId(roomId: RoomId): ServerName | undefined {
  const colon = roomId.indexOf(':')
  return colon === -1 ? undefined : (roomId.slice(colon + 1) as ServerName)
}

/** The room whose create event has this id (room version 12 and later), undefined when the id is no hash. */
export function roomIdOfCreateEvent(eventId: EventId): RoomId | undefined {
  return parseRoomId(`!${eventId.slice(1)}`)
}

/** The id of the create event of a room whose id is a hash. */
export function createEventIdOf(roomId: RoomId): EventId | undefined {
  return isHashRoomId(roomId) ? (`$${roomId.slice(1)}` as EventId) : undefined
}
