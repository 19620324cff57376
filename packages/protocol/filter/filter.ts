/** The filter object, parsed once and ready to match. <https://spec.matrix.org/v1.19/client-server-api/#filtering> */
import type { JsonValue } from '../json/value.ts'
import { type EventFields, parseEventFields } from './event-fields.ts'
import { exactRule, type NameRule, typeRule } from './name-list.ts'
import { type FilterParsed, type FilterReader, readFilter } from './reader.ts'

/** For presence and global account data. */
export type EventFilter = {
  readonly limit: number | undefined
  readonly types: NameRule
  readonly senders: NameRule
}

/** For everything in rooms; as `state` it is what the specification once called StateFilter. */
export type RoomEventFilter = EventFilter & {
  readonly rooms: NameRule
  readonly containsUrl: boolean | undefined
  readonly lazyLoadMembers: boolean
  readonly includeRedundantMembers: boolean
  readonly unreadThreadNotifications: boolean
  /** Only events to which others relate in these ways, or by these senders; undefined for no such condition. */
  readonly relatedByRelTypes: readonly string[] | undefined
  readonly relatedBySenders: readonly string[] | undefined
}

export type RoomFilter = {
  /** Applied before the lists of the filters below. */
  readonly rooms: NameRule
  readonly includeLeave: boolean
  readonly timeline: RoomEventFilter
  readonly state: RoomEventFilter
  readonly ephemeral: RoomEventFilter
  readonly accountData: RoomEventFilter
}

export type Filter = {
  /** undefined for whole events. */
  readonly eventFields: EventFields | undefined
  readonly eventFormat: 'client' | 'federation'
  readonly presence: EventFilter
  readonly accountData: EventFilter
  readonly room: RoomFilter
}

/** A filter as uploaded or given to /sync. Unknown members are ignored. */
export function parseFilter(value: JsonValue): FilterParsed<Filter> {
  return readFilter(value, readWholeFilter)
}

/** A filter as given to /messages, /context and /search. */
export function parseRoomEventFilter(value: JsonValue): FilterParsed<RoomEventFilter> {
  return readFilter(value, readRoomEventFilter)
}

const parsedEmpty = parseFilter({}) as { ok: true; filter: Filter }
/** What holds where no filter was given. */
export const EMPTY_FILTER: Filter = parsedEmpty.filter
export const EMPTY_ROOM_EVENT_FILTER: RoomEventFilter = EMPTY_FILTER.room.timeline

function readWholeFilter(reader: FilterReader): Filter {
  return {
    eventFields: parseEventFields(reader.strings('event_fields')),
    eventFormat: reader.oneOf('event_format', ['client', 'federation']) ?? 'client',
    presence: readEventFilter(reader.child('presence')),
    accountData: readEventFilter(reader.child('account_data')),
    room: readRoomFilter(reader.child('room')),
  }
}

function readRoomFilter(reader: FilterReader): RoomFilter {
  return {
    rooms: exactRule({ include: reader.roomIds('rooms'), exclude: reader.roomIds('not_rooms') }),
    includeLeave: reader.boolean('include_leave') ?? false,
    timeline: readRoomEventFilter(reader.child('timeline')),
    state: readRoomEventFilter(reader.child('state')),
    ephemeral: readRoomEventFilter(reader.child('ephemeral')),
    accountData: readRoomEventFilter(reader.child('account_data')),
  }
}

function readEventFilter(reader: FilterReader): EventFilter {
  return {
    limit: reader.limit('limit'),
    types: typeRule({ include: reader.strings('types'), exclude: reader.strings('not_types') }),
    senders: exactRule({ include: reader.userIds('senders'), exclude: reader.userIds('not_senders') }),
  }
}

function readRoomEventFilter(reader: FilterReader): RoomEventFilter {
  return {
    ...readEventFilter(reader),
    rooms: exactRule({ include: reader.roomIds('rooms'), exclude: reader.roomIds('not_rooms') }),
    containsUrl: reader.boolean('contains_url'),
    lazyLoadMembers: reader.boolean('lazy_load_members') ?? false,
    includeRedundantMembers: reader.boolean('include_redundant_members') ?? false,
    unreadThreadNotifications: reader.boolean('unread_thread_notifications') ?? false,
    relatedByRelTypes: reader.strings('related_by_rel_types'),
    relatedBySenders: reader.userIds('related_by_senders'),
  }
}
