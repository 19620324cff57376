/** Events by the ids that another server names, in the one room that it names with them. */
import { matrixError, type MatrixError } from '@holdfast/protocol/errors'
import type { EventId, ServerName } from '@holdfast/protocol/ids/brand'
import { parseEventId } from '@holdfast/protocol/ids/event-id'
import type { Homeserver } from '../../homeserver.ts'
import { EVENT_FLAGS } from '../../storage/events.ts'
import { eventsByIdHashes, type KnownEventRow } from '../../storage/federation-rooms.ts'
import { eventIdHash, type StoredEvent } from '../event-store.ts'
import type { RoomHead } from '../room-heads.ts'
import { isServedAt, type FormerDeps } from './former-residents.ts'
import { isServed } from './served-room.ts'

type KnownDeps = Pick<Homeserver, 'db' | 'events'>

/** Of the ids that one request names, so many are looked up. */
const NAMED_EVENTS_MAX = 1_000

/**
 * An event of the room that was not rejected.
 * @throws {MatrixError} M_NOT_FOUND, in the same words for an event of another room
 */
export async function requireEvent(deps: KnownDeps, head: RoomHead, eventId: EventId): Promise<StoredEvent> {
  const event = await deps.events.inRoom(head.roomNid, eventId)
  if (event === undefined || (event.flags & EVENT_FLAGS.rejected) !== 0) throw noEvent()
  return event
}

/**
 * An event of any room that the server is in, or was in then.
 * @throws {MatrixError} M_NOT_FOUND, in the same words for an event of another room
 */
export async function requireEventAnywhere(
  deps: KnownDeps & FormerDeps,
  origin: ServerName,
  eventId: EventId,
): Promise<StoredEvent> {
  for (const row of await rowsOf(deps, [eventId])) {
    const head = await deps.heads.byNid(row.room_nid)
    const served = (await isServed(deps, origin, head)) || (await isServedAt(deps, origin, { head, eventId }))
    if (served) return requireEvent(deps, head, eventId)
  }
  throw noEvent()
}

/** Nids of those events that are part of the room's graph here; of other ids nothing is said. */
export async function graphNids(
  deps: Pick<Homeserver, 'db'>,
  roomNid: number,
  eventIds: readonly string[],
): Promise<readonly number[]> {
  const named = eventIds.slice(0, NAMED_EVENTS_MAX).flatMap((eventId) => parseEventId(eventId) ?? [])
  const rows = await rowsOf(deps, named)
  return rows.flatMap((row) =>
    row.room_nid === roomNid && (row.flags & EVENT_FLAGS.outlier) === 0 ? [row.event_nid] : [],
  )
}

/** The rows of known events among the ids, of all rooms. */
export async function rowsOf(
  deps: Pick<Homeserver, 'db'>,
  eventIds: readonly EventId[],
): Promise<readonly KnownEventRow[]> {
  const wanted = new Set<string>(eventIds)
  if (wanted.size === 0) return []
  const rows = await eventsByIdHashes(deps.db, eventIds.map(eventIdHash))
  return rows.filter((row) => wanted.has(row.event_id))
}

function noEvent(): MatrixError {
  return matrixError('M_NOT_FOUND', 'There is no such event here that your server may see.')
}
