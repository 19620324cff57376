/**
 * The end of the filling: the state before our join becomes whole. What was sent here meanwhile follows that join in a line,
 * and each state since then is stored as a difference to that first one, so that it is the only one to be written again.
 */
import { packStateDelta } from '@holdfast/protocol/state/delta'
import { applyStateChanges, diffStateMaps, emptyStateMap, type StateMap } from '@holdfast/protocol/state/state-map'
import type { Statement } from '@holdfast/platform/database/database'
import type { Homeserver } from '../../homeserver.ts'
import { setRoomServer } from '../../storage/federation-rooms.ts'
import * as storage from '../../storage/incomplete-rooms.ts'
import { membershipStatements, serverCounts } from '../commit-draft.ts'
import { memberChangesBetween } from '../member-changes.ts'
import { changeMembers } from '../publish-draft.ts'
import type { MembershipChange } from '../room-changes.ts'
import { isResident, type RoomHead } from '../room-heads.ts'
import type { RoomState } from '../state-store.ts'
import type { Filling } from './incomplete-rooms.ts'
import type { Begun } from './take-told-state.ts'

export type CompleteDeps = Pick<
  Homeserver,
  | 'db'
  | 'events'
  | 'states'
  | 'dictionary'
  | 'heads'
  | 'memberships'
  | 'streams'
  | 'serverName'
  | 'outgoing'
  | 'roomQueue'
  | 'incompleteRooms'
>

/** @returns whether the room is whole; it is not if nobody here is in it any more */
export async function completeRoom(
  deps: CompleteDeps,
  filling: Filling,
  { begun, whole }: { readonly begun: Begun; readonly whole: StateMap },
): Promise<boolean> {
  // Most of the work, before anybody in the room has to wait for it.
  const memberChanges = await changesBetween(deps, { before: begun.core.map, after: whole })
  return deps.roomQueue.turn(filling.roomNid, async (head) => {
    if (head === undefined || !isResident(head)) return false
    const sinceThen = { before: begun.core.map, after: head.state.map }
    const ours = new Set((await changesBetween(deps, sinceThen)).map(({ userNid }) => userNid))
    await commitWhole(deps, filling, {
      head,
      begun,
      whole,
      memberChanges: memberChanges.filter(({ userNid }) => !ours.has(userNid)),
    })
    return true
  })
}

function changesBetween(
  deps: CompleteDeps,
  maps: { readonly before: StateMap; readonly after: StateMap },
): Promise<readonly MembershipChange[]> {
  return memberChangesBetween({ ...deps, eventsByNid: (nids) => deps.events.byNids(nids) }, maps, 0)
}

type Completion = {
  readonly head: RoomHead
  readonly begun: Begun
  readonly whole: StateMap
  readonly memberChanges: readonly MembershipChange[]
}

async function commitWhole(deps: CompleteDeps, { roomNid }: Filling, completion: Completion): Promise<void> {
  const { head, begun, whole, memberChanges } = completion
  const rewritten = await rewrittenStates(deps, roomNid, { core: begun.core, whole })
  const changes = { head, memberChanges, namedServers: [] }
  const statements: Statement[] = [
    ...rewritten.map(({ nid, map }) =>
      storage.replaceSnapshot({ stateNid: nid, delta: packStateDelta(diffStateMaps(emptyStateMap(), map)) }),
    ),
    ...membershipStatements(roomNid, memberChanges),
    ...[...serverCounts(changes, deps.serverName)].map(([serverName, joined]) =>
      setRoomServer({ roomNid, serverName, joined }),
    ),
    storage.deleteNamedServers(roomNid),
    storage.deleteIncompleteRoom(roomNid),
    storage.setFilledRoom(roomNid),
  ]
  const state = wholeState(head.state, { core: begun.core, whole })
  await deps.streams.commit(statements, {
    positions: 1,
    publish: (position) => {
      deps.states.rewritten(new Set(rewritten.map(({ nid }) => nid)))
      const membershipChanged = changeMembers(deps, head.members, changes)
      deps.heads.replace({ ...head, state })
      deps.incompleteRooms.completed(roomNid, position)
      deps.streams.roomChanged({ roomNid, position, joined: head.members.joined, membershipChanged })
      deps.outgoing.wake()
    },
  })
}

type Healing = { readonly core: RoomState; readonly whole: StateMap }

/** The first state, and those after thousands of changes that are stored complete, too. */
async function rewrittenStates(
  deps: CompleteDeps,
  roomNid: number,
  healing: Healing,
): Promise<readonly { readonly nid: number; readonly map: StateMap }[]> {
  const rows = await storage.wholeSnapshots(deps.db, { roomNid, stateNid: healing.core.nid })
  const states = await Promise.all(rows.map(({ state_nid: nid }) => deps.states.load(nid)))
  return states.map((state) => ({ nid: state.nid, map: wholeMap(state, healing) }))
}

/** The state with what was changed since the room began, on top of the whole. */
function wholeState(state: RoomState, healing: Healing): RoomState {
  const anchor = state.anchor === undefined ? undefined : wholeState(state.anchor, healing)
  return { ...state, map: wholeMap(state, healing), anchor }
}

function wholeMap({ map }: RoomState, { core, whole }: Healing): StateMap {
  return applyStateChanges(whole, diffStateMaps(core.map, map))
}
