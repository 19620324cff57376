/** A user's settings for a room follow them to the room that replaces it. <https://spec.matrix.org/v1.19/client-server-api/#room-upgrades> */
import { parseRoomId } from '@holdfast/protocol/ids/room-id'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import { isObject, type JsonObject } from '@holdfast/protocol/json/value'
import { accountDataText, NO_ROOM, setAccountData, updateAccountData } from '../account-data/account-data.ts'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { stateEventAt } from './current-state.ts'
import type { RoomHead } from './room-heads.ts'

type CarryDeps = Pick<Homeserver, 'db' | 'heads' | 'streams'>

/** For who joins a room: if it replaces one that they have to do with, and that names it as its replacement. */
export async function carrySettingsOnJoin(
  deps: CarryDeps & Pick<Homeserver, 'events' | 'dictionary' | 'memberships'>,
  requester: Requester,
  head: RoomHead,
): Promise<void> {
  const create = await stateEventAt(deps, head.state.map, { type: 'm.room.create', stateKey: '' })
  const predecessor = create?.pdu.content['predecessor']
  const named = isObject(predecessor) ? predecessor['room_id'] : undefined
  const from = typeof named === 'string' ? parseRoomId(named) : undefined
  const old = from === undefined ? undefined : await deps.heads.byId(from)
  if (old === undefined || !(await deps.memberships.of(requester.userNid)).has(old.roomNid)) return
  const tombstone = await stateEventAt(deps, old.state.map, { type: 'm.room.tombstone', stateKey: '' })
  if (tombstone?.pdu.content['replacement_room'] !== head.roomId) return
  await carrySettings(deps, requester, { from: old.roomId, to: head.roomId })
}

/** Tags, and whether it is a direct chat. What the user has set for the new room already stays. */
export async function carrySettings(
  deps: CarryDeps,
  { userNid }: Pick<Requester, 'userNid'>,
  rooms: { readonly from: RoomId; readonly to: RoomId },
): Promise<void> {
  const [from, to] = [await deps.heads.roomNid(rooms.from), await deps.heads.roomNid(rooms.to)]
  if (from === undefined || to === undefined) return
  const tags = await accountDataText(deps, { userNid, roomNid: from, type: 'm.tag' })
  const known = await accountDataText(deps, { userNid, roomNid: to, type: 'm.tag' })
  if (tags !== undefined && known === undefined) {
    await setAccountData(deps, { userNid, roomNid: to, type: 'm.tag' }, JSON.parse(tags) as JsonObject)
  }
  const direct = { userNid, roomNid: NO_ROOM, type: 'm.direct' }
  const text = await accountDataText(deps, direct)
  if (text === undefined) return
  const before = JSON.parse(text) as JsonObject
  if (withReplacement(before, rooms) === before) return
  await updateAccountData(deps, direct, (content) => withReplacement(content, rooms))
}

/** The new room beside the old one, wherever that stands; the same object if there is nothing to add. */
function withReplacement(content: JsonObject, rooms: { readonly from: RoomId; readonly to: RoomId }): JsonObject {
  let isSame = true
  const entries = Object.entries(content).map(([userId, list]) => {
    if (!Array.isArray(list) || !list.includes(rooms.from) || list.includes(rooms.to)) return [userId, list] as const
    isSame = false
    return [userId, [...list, rooms.to]] as const
  })
  return isSame ? content : Object.fromEntries(entries)
}
