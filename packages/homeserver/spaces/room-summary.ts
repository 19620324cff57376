/** A room as a tree of rooms shows it. <https://spec.matrix.org/v1.19/server-server-api/#get_matrixfederationv1hierarchyroomid> */
import { parseRoomId } from '@holdfast/protocol/ids/room-id'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import { isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import { publicRoom, type PublicRoom } from '../directory/public-room.ts'
import type { Homeserver } from '../homeserver.ts'
import { stateEventAt } from '../rooms/current-state.ts'
import type { RoomHead } from '../rooms/room-heads.ts'

export type RoomSummary = PublicRoom & {
  readonly room_version: string
  readonly encryption?: string
  readonly allowed_room_ids?: readonly RoomId[]
}

type SummaryDeps = Pick<Homeserver, 'events' | 'dictionary'>

const ALLOWED_ROOMS_MAX = 100
/** The only algorithm that rooms have. */
const MEGOLM = 'm.megolm.v1.aes-sha2'

export async function roomSummary(deps: SummaryDeps, head: RoomHead): Promise<RoomSummary> {
  const allowed = await allowedRooms(deps, head)
  const encryption = await contentAt(deps, head, 'm.room.encryption')
  return {
    ...(await publicRoom(deps, head)),
    room_version: head.version,
    ...(encryption['algorithm'] === MEGOLM ? { encryption: MEGOLM } : {}),
    ...(allowed.length > 0 ? { allowed_room_ids: allowed } : {}),
  }
}

/** The rooms whose members may join this one; none if it is not restricted. */
export async function allowedRooms(deps: SummaryDeps, head: RoomHead): Promise<readonly RoomId[]> {
  const { allow, join_rule: rule } = await contentAt(deps, head, 'm.room.join_rules')
  const { restrictedJoins, knockRestricted } = head.rules
  const isRestricted = (rule === 'restricted' && restrictedJoins) || (rule === 'knock_restricted' && knockRestricted)
  if (!isRestricted || !Array.isArray(allow)) return []
  const rooms = (allow as readonly JsonValue[]).flatMap((condition) => allowedRoom(condition) ?? [])
  return rooms.slice(0, ALLOWED_ROOMS_MAX)
}

function allowedRoom(condition: JsonValue): RoomId | undefined {
  if (!isObject(condition) || condition['type'] !== 'm.room_membership') return undefined
  const roomId = condition['room_id']
  return typeof roomId === 'string' ? parseRoomId(roomId) : undefined
}

/** The content of a state event with an empty key; an empty one if there is no such event. */
export async function contentAt(deps: SummaryDeps, { state }: RoomHead, type: string): Promise<JsonObject> {
  return (await stateEventAt(deps, state.map, { type, stateKey: '' }))?.pdu.content ?? {}
}
