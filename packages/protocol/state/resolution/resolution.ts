/** The state of a room from several: state resolution, for every room version. <https://spec.matrix.org/v1.19/server-server-api/#room-state-resolution> */
import type { RoomRules } from '../../room-version/rules.ts'
import { emptyStateMap } from '../state-map.ts'
import type { StateMap } from '../state-map.ts'
import { openRoom } from './auth-checks.ts'
import { createLedger } from './ledger.ts'
import type { ResolutionEvent, ResolutionNeeds, ResolutionSource, Step } from './ledger.ts'
import { partition } from './partition.ts'
import { resolveV1 } from './resolve-v1.ts'
import { resolveV2 } from './resolve-v2.ts'

export type { ResolutionEvent, ResolutionNeeds, ResolutionSource }

/**
 * The resolution of these states. Whoever drives it loads what it yields into the source before it goes on; what is not there
 * then counts as missing.
 */
export function* resolveState(
  rules: RoomRules,
  states: readonly StateMap[],
  source: ResolutionSource,
): Generator<ResolutionNeeds, StateMap, void> {
  const [first] = states
  if (first === undefined) return emptyStateMap()
  const ledger = createLedger(source)
  const parts = yield* partition(ledger, states)
  if (parts.differing.size === 0) return first
  const room = yield* openRoom(rules, ledger, states)
  return yield* resolveParts(rules, room, parts)
}

function resolveParts(
  { stateResolution }: RoomRules,
  room: Parameters<typeof resolveV2>[0],
  parts: Parameters<typeof resolveV2>[1],
): Step<StateMap> {
  return stateResolution === 'v1' ? resolveV1(room, parts) : resolveV2(room, parts, stateResolution)
}

/** The same at once, from a source that has every event and edge; throws if one is missing. */
export function resolveStateNow(rules: RoomRules, states: readonly StateMap[], source: ResolutionSource): StateMap {
  const resolution = resolveState(rules, states, source)
  for (;;) {
    const step = resolution.next()
    if (step.done === true) return step.value
    const { events, edges } = step.value
    if (events.length > 0) throw new Error(`state resolution lacks the events ${events.join(', ')}`)
    if (edges.length > 0) throw new Error(`state resolution lacks the auth edges of ${edges.join(', ')}`)
  }
}
