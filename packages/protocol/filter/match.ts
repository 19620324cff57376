/** Whether an event passes a filter. Relations to other events are not looked at: they are asked of the storage. */
import { isObject, type JsonValue } from '../json/value.ts'
import type { EventFilter, RoomEventFilter, RoomFilter } from './filter.ts'

export type FilterableEvent = {
  readonly type: string
  /** Absent for account data and ephemeral events, which no list of senders lets through. */
  readonly sender?: string | undefined
  readonly content?: JsonValue
}

export function passesEventFilter(filter: EventFilter, event: FilterableEvent): boolean {
  return filter.types.allows(event.type) && filter.senders.allows(event.sender ?? '')
}

export function passesRoomEventFilter(
  filter: RoomEventFilter,
  event: FilterableEvent & { readonly roomId: string },
): boolean {
  if (!passesEventFilter(filter, event) || !filter.rooms.allows(event.roomId)) return false
  return filter.containsUrl === undefined || filter.containsUrl === hasUrl(event.content)
}

/** Whether anything of the room may pass at all. */
export function passesRoomFilter(filter: RoomFilter, roomId: string): boolean {
  return filter.rooms.allows(roomId)
}

/** Whether no event whatever passes, so that the storage need not be asked. */
export function passesNothing(filter: EventFilter | RoomEventFilter): boolean {
  if (filter.limit === 0 || filter.types.allowsNothing || filter.senders.allowsNothing) return true
  return 'rooms' in filter && filter.rooms.allowsNothing
}

function hasUrl(content: JsonValue | undefined): boolean {
  return isObject(content) && Object.hasOwn(content, 'url')
}
