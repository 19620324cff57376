/** The algorithm of room version 1. <https://spec.matrix.org/v1.19/rooms/v1/#state-resolution> */
import { hash } from 'node:crypto'
import { stateMapRemove, stateMapSet } from '../state-map.ts'
import type { StateMap } from '../state-map.ts'
import { authorisationCost, isAllowed, loadForAuthorisation } from './auth-checks.ts'
import type { Lookup, Room } from './auth-checks.ts'
import { PAUSE } from './ledger.ts'
import type { ResolutionEvent, Step } from './ledger.ts'
import { agreedAt } from './partition.ts'
import type { Partition } from './partition.ts'

/** The events of one key, oldest first. */
type Conflict = { readonly key: number; readonly type: string; readonly events: readonly ResolutionEvent[] }

/** Types on which others depend, in this order: each is resolved on what the ones before it left. */
const AUTH_TYPES = ['m.room.power_levels', 'm.room.join_rules', 'm.room.member']

export function* resolveV1(room: Room, partition: Partition): Step<StateMap> {
  const resolved = new Map<number, number>()
  const conflicts = yield* conflictsIn(room, partition, resolved)
  const state: Lookup = (key) => resolved.get(key) ?? agreedAt(partition, key)
  const events = conflicts.flatMap((conflict) => conflict.events)
  yield* loadForAuthorisation(room, events, state)
  for (const type of AUTH_TYPES) {
    const ofType = conflicts.filter((conflict) => conflict.type === type)
    yield* settle(room, ofType, { resolved, state, choose: newestAllowedInTurn })
  }
  const others = conflicts.filter(({ type }) => !AUTH_TYPES.includes(type))
  yield* settle(room, others, { resolved, state, choose: newestAllowed })
  return yield* resolvedState(room, partition, resolved)
}

/** The keys with more than one event; where there is one, in some states only, it goes to `resolved`. */
function* conflictsIn({ ledger }: Room, partition: Partition, resolved: Map<number, number>): Step<Conflict[]> {
  const disputed: [number, number[]][] = []
  for (const [key, masks] of partition.differing) {
    const [only, ...more] = masks.keys()
    if (more.length === 0) resolved.set(key, only!)
    else disputed.push([key, [only!, ...more]])
    if (ledger.isPauseDue(1)) yield PAUSE
  }
  yield* ledger.load({ events: disputed.flatMap(([, nids]) => nids) })
  const conflicts: Conflict[] = []
  for (const [key, nids] of disputed) {
    const events = nids.flatMap((nid) => ledger.event(nid) ?? [])
    const [only] = events
    if (only !== undefined && events.length === 1) resolved.set(key, only.nid)
    else if (only !== undefined) conflicts.push({ key, type: only.pdu.type, events: oldestFirst(events) })
    if (ledger.isPauseDue(5 * events.length)) yield PAUSE
  }
  return conflicts
}

/** By ascending depth, then by descending SHA-1 of the id. */
function oldestFirst(events: readonly ResolutionEvent[]): ResolutionEvent[] {
  const hashed = events.map((event) => ({ event, sha1: hash('sha1', event.pdu.eventId, 'hex') }))
  hashed.sort((left, right) => left.event.pdu.depth - right.event.pdu.depth || (left.sha1 < right.sha1 ? 1 : -1))
  return hashed.map(({ event }) => event)
}

type Choice = (room: Room, conflict: Conflict, state: Lookup) => Step<ResolutionEvent>
type Settling = { readonly resolved: Map<number, number>; readonly state: Lookup; readonly choose: Choice }

/** Writes the choices down only when all are made, as none may depend on another's. */
function* settle(room: Room, conflicts: readonly Conflict[], { resolved, state, choose }: Settling): Step {
  const chosen: [number, number][] = []
  for (const conflict of conflicts) chosen.push([conflict.key, (yield* choose(room, conflict, state)).nid])
  for (const [key, nid] of chosen) resolved.set(key, nid)
}

/** Each must be allowed by the ones before it; the first that is not ends the list. */
function* newestAllowedInTurn(room: Room, { key, events }: Conflict, state: Lookup): Step<ResolutionEvent> {
  let current = events[0]!
  for (const event of events.slice(1)) {
    const withCurrent: Lookup = (wanted) => (wanted === key ? current.nid : state(wanted))
    if (!isAllowed(room, event, withCurrent)) break
    current = event
    if (room.ledger.isPauseDue(authorisationCost(event))) yield PAUSE
  }
  return current
}

function* newestAllowed(room: Room, { events }: Conflict, state: Lookup): Step<ResolutionEvent> {
  for (const event of events.toReversed()) {
    if (isAllowed(room, event, state)) return event
    if (room.ledger.isPauseDue(authorisationCost(event))) yield PAUSE
  }
  return events[0]!
}

function* resolvedState(
  { ledger }: Room,
  { base, differing }: Partition,
  resolved: ReadonlyMap<number, number>,
): Step<StateMap> {
  let state = base
  for (const key of differing.keys()) {
    const nid = resolved.get(key)
    state = nid === undefined ? stateMapRemove(state, key) : stateMapSet(state, key, nid)
    if (ledger.isPauseDue(1)) yield PAUSE
  }
  return state
}
