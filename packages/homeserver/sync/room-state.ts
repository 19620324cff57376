/** The state part of a room in a sync. <https://spec.matrix.org/v1.19/client-server-api/#lazy-loading-room-members> */
import { passesRoomEventFilter } from '@holdfast/protocol/filter/match'
import type { RoomEventFilter } from '@holdfast/protocol/filter/filter'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import {
  diffStateMaps,
  forEachInStateMap,
  stateMapGet,
  stateMapRemove,
  stateMapSet,
  type StateMap,
} from '@holdfast/protocol/state/state-map'
import type { Homeserver } from '../homeserver.ts'
import type { StoredEvent } from '../rooms/event-store.ts'
import { EMPTY_STATE, type RoomState } from '../rooms/state-store.ts'
import { stateAtPosition } from '../storage/events.ts'
import type { SyncContext } from './sync-context.ts'

type StateDeps = Pick<Homeserver, 'db' | 'states' | 'events' | 'dictionary'>

/** The state right before an event. */
export async function stateBefore(deps: StateDeps, event: StoredEvent): Promise<StateMap> {
  const { map } = await deps.states.load(event.stateNid)
  if (event.stateKeyNid === undefined) return map
  if (event.replacesNid === undefined) return stateMapRemove(map, event.stateKeyNid)
  return stateMapSet(map, event.stateKeyNid, event.replacesNid)
}

/** The state of a room as of a position; empty before its first event. */
export async function stateAt(
  deps: Pick<StateDeps, 'db' | 'states'>,
  roomNid: number,
  position: number,
): Promise<RoomState> {
  const row = await stateAtPosition(deps.db, { roomNid, position })
  return row === undefined ? EMPTY_STATE : deps.states.load(row.state_nid)
}

export type StateQuery = {
  /** What the client has; undefined: nothing. */
  readonly from: StateMap | undefined
  readonly to: StateMap
  readonly timeline: readonly StoredEvent[]
  /** Member events the client gets in any case, by user id. */
  readonly alsoMembers: readonly string[]
  /** Lazily loaded members were sent to this device before, in this room. */
  readonly sentMembers: Map<number, number> | undefined
}

/** The events to tell the client of, by rising nid. */
export async function stateChanges(context: SyncContext, query: StateQuery): Promise<readonly StoredEvent[]> {
  const { deps, filter } = context
  const nids = changedEventNids(query)
  if (!filter.room.state.lazyLoadMembers) return passing(filter.room.state, await deps.events.byNids(nids))
  const memberNids = await wantedMemberNids(context, query)
  // Of a gap all changes are told, whoever they concern: the client may have the member list that they change.
  const others = query.from === undefined ? await withoutMembers(deps, nids) : await deps.events.byNids(nids)
  return passing(filter.room.state, new Map([...others, ...(await deps.events.byNids(memberNids))]))
}

function changedEventNids({ from, to, sentMembers }: StateQuery): readonly number[] {
  const nids: number[] = []
  if (from === undefined) forEachInStateMap(to, (_key, nid) => nids.push(nid))
  else {
    for (const { key, after } of diffStateMaps(from, to)) {
      if (after === undefined) continue
      nids.push(after)
      sentMembers?.set(key, after)
    }
  }
  return nids
}

async function withoutMembers(deps: StateDeps, nids: readonly number[]): Promise<ReadonlyMap<number, StoredEvent>> {
  const events = await deps.events.byNids(nids)
  return new Map([...events].filter(([, event]) => event.pdu.type !== 'm.room.member'))
}

/**
 * Members who sent something in the timeline, with the whole state the reader, and the heroes; each once per device unless
 * the client wants repeats.
 */
async function wantedMemberNids(context: SyncContext, query: StateQuery): Promise<readonly number[]> {
  const { deps, filter, requester } = context
  const wanted = new Set<string>(query.alsoMembers)
  if (query.from === undefined) wanted.add(requester.userId)
  for (const { pdu } of query.timeline) {
    wanted.add(pdu.sender)
    if (pdu.type === 'm.room.member' && pdu.stateKey !== undefined) wanted.add(pdu.stateKey)
  }
  const nids: number[] = []
  for (const userId of wanted) {
    const stateKeyNid = await deps.dictionary.stateKeyNid({ type: 'm.room.member', stateKey: userId })
    const nid = stateKeyNid === undefined ? undefined : stateMapGet(query.to, stateKeyNid)
    if (stateKeyNid === undefined || nid === undefined) continue
    const redundant = query.sentMembers?.get(stateKeyNid) === nid
    query.sentMembers?.set(stateKeyNid, nid)
    if (!redundant || filter.room.state.includeRedundantMembers) nids.push(nid)
  }
  return nids
}

function passing(filter: RoomEventFilter, events: ReadonlyMap<number, StoredEvent>): readonly StoredEvent[] {
  return [...events.values()].filter(({ pdu }) => passesRoomEventFilter(filter, pdu)).sort((a, b) => a.nid - b.nid)
}

/** Whether a timeline changes who is in the room, so that the summary is to be sent again. */
export function changesMembers(events: readonly StoredEvent[]): boolean {
  return events.some(({ pdu }) => pdu.type === 'm.room.member' && parseUserId(pdu.stateKey ?? '') !== undefined)
}

/** Whether between two states somebody came or went, as opposed to a new name of who stays. */
export async function movesMembers(
  deps: Pick<Homeserver, 'events'>,
  { from, to }: { readonly from: RoomState; readonly to: RoomState },
): Promise<boolean> {
  if (from.nid === to.nid) return false
  const changes = diffStateMaps(from.map, to.map)
  const events = await deps.events.byNids(changes.flatMap(({ before = [], after = [] }) => [before, after].flat()))
  const membership = (nid: number | undefined): unknown => {
    const pdu = nid === undefined ? undefined : events.get(nid)?.pdu
    return pdu?.type === 'm.room.member' ? pdu.content['membership'] : undefined
  }
  return changes.some(({ before, after }) => membership(before) !== membership(after))
}
