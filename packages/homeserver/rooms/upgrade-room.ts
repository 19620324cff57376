/** Replacing a room by one of another version. <https://spec.matrix.org/v1.19/client-server-api/#room-upgrades> */
import { powerLevels } from '@holdfast/protocol/auth/power-levels'
import { matrixError } from '@holdfast/protocol/errors'
import type { EventId, RoomId, UserId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { rulesFor, type RoomRules } from '@holdfast/protocol/room-version/rules'
import type { Requester } from '../accounts/requester.ts'
import type { Homeserver } from '../homeserver.ts'
import { moveAliases } from '../storage/aliases.ts'
import { deletePublishedRoom, insertPublishedRoom, publishedRoom } from '../storage/published-rooms.ts'
import { carrySettings } from './carry-settings.ts'
import { addAll } from './create-room.ts'
import { authStateAt } from './current-state.ts'
import { awaitWhole } from './incomplete/whole-head.ts'
import { replacementEvents } from './replacement-events.ts'
import { retireRoom } from './retire-room.ts'
import { notInRoom } from './room-access.ts'
import type { NewRoomEvent, RoomDraft } from './room-draft.ts'
import type { RoomHead } from './room-heads.ts'
import { sendState } from './send-state.ts'

export type UpgradeDeps = Pick<
  Homeserver,
  | 'db'
  | 'heads'
  | 'events'
  | 'dictionary'
  | 'roomQueue'
  | 'clock'
  | 'random'
  | 'serverName'
  | 'creationTimes'
  | 'accounts'
  | 'streams'
  | 'log'
  | 'incompleteRooms'
>

export type Upgrade = {
  readonly roomId: RoomId
  readonly version: string
  readonly additionalCreators: readonly UserId[]
}

/**
 * @returns the id of the replacement
 * @throws {MatrixError} M_UNSUPPORTED_ROOM_VERSION, M_NOT_FOUND, M_FORBIDDEN
 */
export async function upgradeRoom(deps: UpgradeDeps, requester: Requester, upgrade: Upgrade): Promise<RoomId> {
  const rules = rulesFor(upgrade.version)
  if (rules === undefined) {
    throw matrixError('M_UNSUPPORTED_ROOM_VERSION', `This server does not know room version ${upgrade.version}.`)
  }
  await awaitWhole(deps, { userNid: requester.userNid, roomId: upgrade.roomId })
  const head = await deps.heads.byId(upgrade.roomId)
  if (head === undefined) throw matrixError('M_NOT_FOUND', 'No room with this id is known here.')
  await assertMayReplace(deps, head, requester)
  const roomId = await (rules.roomIdIsCreateHash ? createThenPoint : pointThenCreate)(deps, requester, {
    head,
    rules,
    additionalCreators: upgrade.additionalCreators,
  })
  await retireRoom(deps, requester, head.roomNid)
  await carrySettings(deps, requester, { from: upgrade.roomId, to: roomId })
  return roomId
}

async function assertMayReplace(deps: UpgradeDeps, head: RoomHead, requester: Requester): Promise<void> {
  if (!head.members.joined.has(requester.userNid)) throw notInRoom()
  const state = await authStateAt(deps, head.state.map, [
    { type: 'm.room.create', stateKey: '' },
    { type: 'm.room.power_levels', stateKey: '' },
  ])
  const levels = powerLevels(head.rules, state)
  const needed = levels.forState('m.room.tombstone')
  if (levels.ofUser(requester.userId) >= needed) return
  throw matrixError('M_FORBIDDEN', `Replacing this room needs the power level ${needed}.`)
}

export type Replacement = {
  /** The room that is replaced. */
  readonly head: RoomHead
  /** Of the new one. */
  readonly rules: RoomRules
  readonly additionalCreators: readonly UserId[]
}

/** Where the id of a room is made from its first event, that event cannot name the tombstone that names the room. */
async function createThenPoint(deps: UpgradeDeps, requester: Requester, replacement: Replacement): Promise<RoomId> {
  const events = await replacementEvents(deps, requester, replacement, undefined)
  const roomId = await createReplacement(deps, { ...replacement, roomId: undefined, events })
  await sendTombstone(deps, requester, replacement.head, roomId)
  return roomId
}

/**
 * The first event names the tombstone, so the tombstone comes first: after it was tried whether the new room can be made.
 * If the server ends between the two, the tombstone leads nowhere until the room is upgraded once more.
 */
async function pointThenCreate(deps: UpgradeDeps, requester: Requester, replacement: Replacement): Promise<RoomId> {
  const { head } = replacement
  const roomId = `!${deps.random.text(18)}:${deps.serverName}` as RoomId
  await tryReplacement(deps, {
    ...replacement,
    events: await replacementEvents(deps, requester, replacement, undefined),
  })
  const tombstoneId = await sendTombstone(deps, requester, head, roomId)
  const events = await replacementEvents(deps, requester, replacement, tombstoneId)
  return createReplacement(deps, { ...replacement, roomId, events })
}

type NewRoom = Replacement & { readonly roomId: RoomId | undefined; readonly events: readonly NewRoomEvent[] }

/** Aliases and the place in the public directory change hands in the commit that makes the new room. */
async function createReplacement(deps: UpgradeDeps, { head, rules, roomId, events }: NewRoom): Promise<RoomId> {
  const published = await publishedRoom(deps.db, head.roomNid)
  return deps.roomQueue.create({ rules, needs: { events }, roomId }, (draft) => {
    addAll(draft, events)
    draft.also(moveAliases({ from: head.roomNid, to: draft.room.roomNid }))
    if (published !== undefined) {
      draft.also(deletePublishedRoom(head.roomNid))
      draft.also(insertPublishedRoom(draft.room.roomNid))
    }
    return draft.roomId
  })
}

class OnlyTried extends Error {}

/** Makes the room in thought. @throws {MatrixError} M_INVALID_ROOM_STATE */
async function tryReplacement(deps: UpgradeDeps, { rules, events }: Omit<NewRoom, 'roomId'>): Promise<void> {
  const roomId = `!try:${deps.serverName}` as RoomId
  const decide = (draft: RoomDraft): never => {
    addAll(draft, events)
    throw new OnlyTried()
  }
  try {
    await deps.roomQueue.create({ rules, needs: { events }, roomId }, decide)
  } catch (error) {
    if (!(error instanceof OnlyTried)) throw error
  }
}

function sendTombstone(deps: UpgradeDeps, requester: Requester, head: RoomHead, roomId: RoomId): Promise<EventId> {
  const content: JsonObject = { body: 'This room has been replaced.', replacement_room: roomId }
  const event = {
    type: 'm.room.tombstone',
    stateKey: '',
    sender: requester.userId,
    content,
    originServerTs: deps.clock.nowMs(),
  }
  return sendState(deps, { roomNid: head.roomNid, requester, event })
}
