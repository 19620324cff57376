/** Reading a room: events, state and members. <https://spec.matrix.org/v1.19/client-server-api/#getting-events-for-a-room> */
import * as rooms from '@holdfast/api/generated/client-server/rooms'
import { matrixError, MatrixError } from '@holdfast/protocol/errors'
import { clientEvents } from '../rooms/client-events.ts'
import { allStateEvents, stateEventAt } from '../rooms/current-state.ts'
import type { StoredEvent } from '../rooms/event-store.ts'
import { memberEventsOf, presentMemberEvents } from '../rooms/member-events.ts'
import { notInRoom } from '../rooms/room-access.ts'
import { awaitWhole } from '../rooms/incomplete/whole-head.ts'
import { roomView } from '../rooms/room-view.ts'
import { visibleEvents } from '../rooms/visible-events.ts'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { timelineBackwards, timelineForwards } from '../storage/events.ts'
import { stateAt, stateBefore } from '../sync/room-state.ts'
import { parseStreamToken } from '../sync/sync-token.ts'
import { JsonText } from '@holdfast/service/http/reply'
import { route } from './route.ts'

export const getOneRoomEvent = route(rooms.getOneRoomEvent, async ({ deps, requester, params }) => {
  const view = await roomView(deps, requester, params.roomId).catch(notFoundInsteadOfForbidden)
  const event = await deps.events.inRoom(view.head.roomNid, params.eventId)
  const visible = event === undefined ? [] : await visibleEvents(deps, requester, [event])
  if (visible.length === 0) throw noSuchEvent()
  const [text] = await clientEvents(deps, visible, { reader: requester, room: 'with-room-id' })
  return new JsonText(text!)
})

export const getRoomStateWithKey = route(
  rooms.getRoomStateWithKey,
  async ({ deps, requester, params: { roomId, eventType: type, stateKey }, query }) => {
    const key = { type, stateKey }
    let event = await stateEventAt(deps, (await roomView(deps, requester, roomId)).state, key)
    if (event === undefined) {
      await awaitWhole(deps, { userNid: requester.userNid, roomId })
      event = await stateEventAt(deps, (await roomView(deps, requester, roomId)).state, key)
    }
    if (event === undefined) throw matrixError('M_NOT_FOUND', `The room has no ${type} with this state key.`)
    if (query.format !== 'event') return event.pdu.content
    const [text] = await clientEvents(deps, [event], { reader: requester, room: 'with-room-id', as: 'state' })
    return new JsonText(text!)
  },
)

export const getRoomState = route(rooms.getRoomState, async ({ deps, requester, params }) => {
  await awaitWhole(deps, { userNid: requester.userNid, roomId: params.roomId })
  const view = await roomView(deps, requester, params.roomId)
  const events = await allStateEvents(deps, view.state)
  const texts = await clientEvents(deps, events, { reader: requester, room: 'with-room-id', as: 'state' })
  return new JsonText(`[${texts.join(',')}]`)
})

export const getMembersByRoom = route(rooms.getMembersByRoom, async ({ deps, requester, params, query }) => {
  await awaitWhole(deps, { userNid: requester.userNid, roomId: params.roomId })
  const view = await roomView(deps, requester, params.roomId)
  const at = query.at === undefined ? undefined : Math.min(parseStreamToken(query.at, 'at'), view.upTo)
  let events: readonly StoredEvent[]
  if (at !== undefined) events = await membersAt(deps, requester, { roomNid: view.head.roomNid, position: at })
  else if (view.as === 'former-member') events = await memberEventsOf(deps, view.state)
  else events = await presentMemberEvents(deps, view.head)
  const wanted = events.filter(({ pdu }) => {
    const membership = pdu.content['membership']
    if (query.membership !== undefined && membership !== query.membership) return false
    return query.not_membership === undefined || membership !== query.not_membership
  })
  const texts = await clientEvents(deps, wanted, { reader: requester, room: 'with-room-id', as: 'state' })
  return new JsonText(`{"chunk":[${texts.join(',')}]}`)
})

/** As of a position, if the newest event there is one the requester may read. */
async function membersAt(
  deps: Homeserver,
  requester: Requester,
  at: { readonly roomNid: number; readonly position: number },
): Promise<readonly StoredEvent[]> {
  const range = { roomNid: at.roomNid, after: Number.MIN_SAFE_INTEGER, upTo: at.position, limit: 1 }
  const [newest] = await deps.events.fromRows(await timelineBackwards(deps.db, range))
  if (newest === undefined) return firstMembers(deps, requester, at.roomNid)
  await assertReadable(deps, requester, newest)
  return memberEventsOf(deps, (await stateAt(deps, at.roomNid, at.position)).map)
}

/** From before the room's beginning, as where a whole timeline begins: who was in it first. */
async function firstMembers(deps: Homeserver, requester: Requester, roomNid: number): Promise<readonly StoredEvent[]> {
  const range = { roomNid, after: Number.MIN_SAFE_INTEGER, upTo: Number.MAX_SAFE_INTEGER, limit: FIRST_EVENTS_MAX }
  for (const event of await deps.events.fromRows(await timelineForwards(deps.db, range))) {
    await assertReadable(deps, requester, event)
    for (const map of [await stateBefore(deps, event), (await deps.states.load(event.stateNid)).map]) {
      const members = await memberEventsOf(deps, map)
      if (members.length > 0) return members
    }
  }
  return []
}

/** The creator joins with the second event; a room of another server begins with all who were in it. */
const FIRST_EVENTS_MAX = 2

async function assertReadable(deps: Homeserver, requester: Requester, event: StoredEvent): Promise<void> {
  if ((await visibleEvents(deps, requester, [event])).length > 0) return
  throw matrixError('M_FORBIDDEN', 'You may not see who was in the room at that time.')
}

export const getJoinedMembersByRoom = route(rooms.getJoinedMembersByRoom, async ({ deps, requester, params }) => {
  await awaitWhole(deps, { userNid: requester.userNid, roomId: params.roomId })
  const head = await deps.heads.byId(params.roomId)
  if (head === undefined || !head.members.joined.has(requester.userNid)) throw notInRoom()
  const joined: Record<string, { display_name?: string; avatar_url?: string }> = {}
  for (const { pdu } of await presentMemberEvents(deps, head, ['join'])) {
    const { displayname, avatar_url } = pdu.content
    joined[pdu.stateKey!] = {
      ...(typeof displayname === 'string' ? { display_name: displayname } : {}),
      ...(typeof avatar_url === 'string' ? { avatar_url } : {}),
    }
  }
  return { joined }
})

function noSuchEvent(): MatrixError {
  return matrixError('M_NOT_FOUND', 'There is no such event here that you may see.')
}

/** Whether an event is not there or not for the reader is answered alike. */
function notFoundInsteadOfForbidden(error: unknown): never {
  throw error instanceof MatrixError && error.errcode === 'M_FORBIDDEN' ? noSuchEvent() : error
}
