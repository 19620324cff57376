/** The algorithm of room versions 2 to 11, and its revision of version 12. <https://spec.matrix.org/v1.19/rooms/v12/#state-resolution> */
import { stateMapRemove, stateMapSet } from '../state-map.ts'
import type { StateMap } from '../state-map.ts'
import { authorisationCost, citedState, isAllowed, loadAuthEvents, loadForAuthorisation } from './auth-checks.ts'
import type { Lookup, Room } from './auth-checks.ts'
import { authDifference } from './auth-difference.ts'
import { conflictedSubgraph } from './conflicted-subgraph.ts'
import { PAUSE } from './ledger.ts'
import type { ResolutionEvent, Step } from './ledger.ts'
import { mainlineOrdering } from './mainline-ordering.ts'
import { agreedAt, conflictedEvents } from './partition.ts'
import type { Partition } from './partition.ts'
import { orderedPowerEvents } from './power-ordering.ts'

/** The parts in which v2.1 is another algorithm. */
type Revision = { readonly startsEmpty: boolean; readonly withSubgraph: boolean }
const REVISIONS = {
  v2: { startsEmpty: false, withSubgraph: false },
  'v2.1': { startsEmpty: true, withSubgraph: true },
} as const satisfies Record<string, Revision>

export function* resolveV2(room: Room, partition: Partition, revision: keyof typeof REVISIONS): Step<StateMap> {
  const { ledger } = room
  const { startsEmpty, withSubgraph } = REVISIONS[revision]
  const agreed: Lookup = (key) => agreedAt(partition, key)
  const initial: Lookup = startsEmpty ? () => undefined : agreed
  const full = yield* fullConflictedSet(room, partition, withSubgraph)
  yield* loadAuthEvents(ledger, [...full.keys()])
  yield* loadForAuthorisation(room, [...full.values()], initial)

  const applied = new Map<number, number>()
  const resolved: Lookup = (key) => applied.get(key) ?? initial(key)
  const powerEvents = yield* orderedPowerEvents(room, full)
  yield* applyAllowed(room, powerEvents, { applied, resolved })

  for (const { nid } of powerEvents) full.delete(nid)
  yield* ledger.load({ stateKeys: [['m.room.power_levels', '']] })
  const levels = resolved(ledger.stateKeyNid('m.room.power_levels', ''))
  const others = yield* mainlineOrdering(ledger, full.values(), levels)
  yield* applyAllowed(room, others, { applied, resolved })
  return yield* withUnconflicted(room, partition, applied)
}

/** By nid; without those that cannot be loaded. */
export function* fullConflictedSet(
  { ledger }: Room,
  partition: Partition,
  withSubgraph: boolean,
): Step<Map<number, ResolutionEvent>> {
  const conflicted = yield* conflictedEvents(ledger, partition)
  const nids = new Set(conflicted.keys())
  for (const nid of yield* authDifference(ledger, partition, conflicted)) nids.add(nid)
  if (withSubgraph) for (const nid of yield* conflictedSubgraph(ledger, conflicted.keys())) nids.add(nid)
  yield* ledger.load({ events: [...nids] })
  const full = new Map<number, ResolutionEvent>()
  for (const nid of nids) {
    const event = ledger.event(nid)
    if (event !== undefined) full.set(nid, event)
    if (ledger.isPauseDue(1)) yield PAUSE
  }
  return full
}

type Progress = { readonly applied: Map<number, number>; readonly resolved: Lookup }

/** The iterative auth checks. */
function* applyAllowed(room: Room, events: readonly ResolutionEvent[], { applied, resolved }: Progress): Step {
  for (const event of events) {
    const cited = citedState(room, event.nid, { withRejected: false })
    if (isAllowed(room, event, resolved, cited)) applied.set(event.stateKeyNid, event.nid)
    if (room.ledger.isPauseDue(authorisationCost(event))) yield PAUSE
  }
}

/** What all states agree on stands, whatever was applied over it. */
function* withUnconflicted(
  { ledger }: Room,
  partition: Partition,
  applied: ReadonlyMap<number, number>,
): Step<StateMap> {
  let state = partition.base
  for (const key of partition.differing.keys()) {
    if (!applied.has(key)) state = stateMapRemove(state, key)
    if (ledger.isPauseDue(1)) yield PAUSE
  }
  for (const [key, nid] of applied) {
    if (agreedAt(partition, key) === undefined) state = stateMapSet(state, key, nid)
    if (ledger.isPauseDue(1)) yield PAUSE
  }
  return state
}
