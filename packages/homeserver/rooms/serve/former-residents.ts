/**
 * What a server may still ask whose last member has gone: about events at which somebody of it was there. Otherwise a server that
 * missed something shortly before could not fetch what its removal builds on, and its users would stay in the room, for it alone.
 */
import type { EventId, RoomId, ServerName } from '@holdfast/protocol/ids/brand'
import { parseEventId } from '@holdfast/protocol/ids/event-id'
import { roomAcl } from '../room-acl.ts'
import type { RoomHead } from '../room-heads.ts'
import { requireServedRoom, type ServedRoomDeps } from './served-room.ts'
import { serverVisibility } from './server-visibility.ts'
import type { ReadDeps } from '../visible-events.ts'

export type FormerDeps = ServedRoomDeps & ReadDeps

/** Events that one question begins from. */
const EVENTS_MAX = 20

/**
 * The head of a room that the asking server is in, or was in at all of the events that it asks about.
 * @throws {MatrixError} M_NOT_FOUND for a room that is not known here, M_FORBIDDEN
 */
export async function requireRoomServedAt(
  deps: FormerDeps,
  origin: ServerName,
  { roomId, eventIds }: { readonly roomId: RoomId; readonly eventIds: readonly string[] },
): Promise<RoomHead> {
  const asked = eventIds.map((eventId) => parseEventId(eventId))
  return requireServedRoom(deps, origin, roomId, (head) => wasThereAtAll(deps, { origin, head }, asked))
}

/** Whether a server that is not in the event's room, or is no more, may ask about this event alone. */
export async function isServedAt(
  deps: FormerDeps,
  origin: ServerName,
  { head, eventId }: { readonly head: RoomHead; readonly eventId: EventId },
): Promise<boolean> {
  return (await roomAcl(deps, head)).allows(origin) && (await wasThereAtAll(deps, { origin, head }, [eventId]))
}

async function wasThereAtAll(
  deps: FormerDeps,
  { origin, head }: { readonly origin: ServerName; readonly head: RoomHead },
  eventIds: readonly (EventId | undefined)[],
): Promise<boolean> {
  if (eventIds.length === 0 || eventIds.length > EVENTS_MAX) return false
  const visibility = serverVisibility(deps, head, origin)
  for (const eventId of eventIds) {
    const event = eventId === undefined ? undefined : await deps.events.inRoom(head.roomNid, eventId)
    if (event === undefined || !(await visibility.wasThere(event))) return false
  }
  return true
}
