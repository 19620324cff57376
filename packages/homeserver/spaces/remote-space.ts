/** What another server says of a room and its children, with whatever is not as it should be left out. */
import type { RoomId } from '@holdfast/protocol/ids/brand'
import { parseRoomId } from '@holdfast/protocol/ids/room-id'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import { publicRoomOf } from '../federation/remote-queries/remote-directory.ts'
import { compareChildren, viaOf } from './child-order.ts'
import type { RoomSummary } from './room-summary.ts'

/** A summary of a room that is not here; its version may be untold. */
export type RemoteSummary = Omit<RoomSummary, 'room_version' | 'allowed_room_ids'> & {
  readonly room_version?: string
  readonly allowed_room_ids?: readonly RoomId[]
}

export type RemoteChild = {
  readonly roomId: RoomId
  readonly via: readonly string[]
  /** The child event as clients get it. */
  readonly stripped: JsonObject
}

export type RemoteSpace = {
  readonly room: RemoteSummary
  readonly children: readonly RemoteChild[]
  /** What the server says of children that are no spaces. */
  readonly summaries: ReadonlyMap<RoomId, RemoteSummary>
  /** Children that this server could not enter. */
  readonly closed: ReadonlySet<RoomId>
}

const CHILDREN_MAX = 1_000
const LISTED_MAX = 100
const ALLOWED_ROOMS_MAX = 100
const VERSION_CHARACTERS_MAX = 32
const ENCRYPTION_CHARACTERS_MAX = 255

/** undefined: the answer is about another room, or about none. */
export function remoteSpaceOf(answer: JsonObject, roomId: RoomId, suggestedOnly: boolean): RemoteSpace | undefined {
  const room = summaryOf(answer['room'])
  if (room === undefined || room.room_id !== roomId) return undefined
  const events = isObject(answer['room']) ? listAt(answer['room'], 'children_state').slice(0, CHILDREN_MAX) : []
  const children = events.flatMap((event) => childOf(event, suggestedOnly) ?? [])
  const told = listAt(answer, 'children')
    .slice(0, LISTED_MAX)
    .flatMap((entry) => summaryOf(entry) ?? [])
  const closed = listAt(answer, 'inaccessible_children').slice(0, CHILDREN_MAX)
  return {
    room,
    // Who is no space has no children.
    children: room.room_type === 'm.space' ? children.sort(byOrder) : [],
    summaries: new Map(
      told.flatMap((child) => (child.room_type === 'm.space' ? [] : [[child.room_id as RoomId, child] as const])),
    ),
    closed: new Set(closed.flatMap((id) => (typeof id === 'string' ? (parseRoomId(id) ?? []) : []))),
  }
}

function summaryOf(entry: JsonValue | undefined): RemoteSummary | undefined {
  if (!isObject(entry)) return undefined
  const room = publicRoomOf(entry)
  if (room === undefined) return undefined
  const version = shortText(entry['room_version'], VERSION_CHARACTERS_MAX)
  const encryption = shortText(entry['encryption'], ENCRYPTION_CHARACTERS_MAX)
  const allowed = listAt(entry, 'allowed_room_ids').slice(0, ALLOWED_ROOMS_MAX)
  const allowedIds = allowed.flatMap((id) => (typeof id === 'string' ? (parseRoomId(id) ?? []) : []))
  return {
    ...room,
    ...(version === undefined ? {} : { room_version: version }),
    ...(encryption === undefined ? {} : { encryption }),
    ...(allowedIds.length === 0 ? {} : { allowed_room_ids: allowedIds }),
  }
}

function childOf(event: JsonValue, suggestedOnly: boolean): RemoteChild | undefined {
  if (!isObject(event) || event['type'] !== 'm.space.child') return undefined
  const { state_key: key, sender, origin_server_ts: ts, content } = event
  const roomId = typeof key === 'string' ? parseRoomId(key) : undefined
  if (roomId === undefined || !isObject(content) || !Number.isSafeInteger(ts)) return undefined
  if (typeof sender !== 'string' || parseUserId(sender) === undefined) return undefined
  const via = viaOf(content)
  if (via === undefined || (suggestedOnly && content['suggested'] !== true)) return undefined
  const stripped: JsonObject = { type: 'm.space.child', state_key: roomId, content, sender, origin_server_ts: ts! }
  return { roomId, via, stripped }
}

function byOrder(a: RemoteChild, b: RemoteChild): number {
  return compareChildren(ordered(a), ordered(b))
}

function ordered({ roomId, stripped }: RemoteChild) {
  return { roomId, content: stripped['content'] as JsonObject, originServerTs: stripped['origin_server_ts'] as number }
}

function listAt(object: JsonObject, key: string): readonly JsonValue[] {
  const list = object[key]
  return Array.isArray(list) ? (list as readonly JsonValue[]) : []
}

function shortText(value: JsonValue | undefined, charactersMax: number): string | undefined {
  return typeof value === 'string' && value !== '' && value.length <= charactersMax ? value : undefined
}
