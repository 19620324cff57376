/**
 * State maps and their snapshots on disk, as skip deltas: snapshot n holds its difference to the ancestor numbered
 * n - (n mod 8^(k+1)), where 8^k is the largest power of 8 that divides n, so that any state is at most five rows away
 * and a change costs a few dozen bytes whatever the size of the room (docs/adr/0006-state-as-skip-deltas.md).
 */
import { LRUCache } from 'lru-cache'
import type { Reader, Statement } from '@holdfast/platform/database/database'
import { packStateDelta, unpackStateDelta } from '@holdfast/protocol/state/delta'
import { applyStateChanges, diffStateMaps, emptyStateMap, type StateMap } from '@holdfast/protocol/state/state-map'
import { insertSnapshot, snapshot } from '../storage/state.ts'

/** A state as it was after some event: a map from state key nid to event nid, and where it is stored. */
export type RoomState = {
  readonly nid: number
  /** How many state changes lie between the room's first state and this one. */
  readonly sequence: number
  readonly map: StateMap
  /** The snapshot this one is stored as a difference to; undefined for a complete one. */
  readonly anchor: RoomState | undefined
}

export type StateStore = {
  /** @throws if there is no such snapshot: only a broken database can cause that */
  load(stateNid: number): Promise<RoomState>
  /** Remembers a state that was just committed. */
  remember(state: RoomState): void
  /** These complete snapshots were rewritten: they and all that build on them are read again. Call right after the commit. */
  rewritten(stateNids: ReadonlySet<number>): void
}

/** The state of a room that nothing is known of. */
export const EMPTY_STATE: RoomState = { nid: 0, sequence: 0, map: emptyStateMap(), anchor: undefined }

const BRANCHING = 8
/** A complete snapshot is stored every 8^4 changes. */
const LEVELS = 4
const CACHED_STATES_MAX = 4_000
/** Anchors are at most one per level, plus the complete one. */
const CHAIN_LENGTH_MAX = LEVELS + 2

export function openStateStore(db: Reader): StateStore {
  const cache = new LRUCache<number, RoomState>({ max: CACHED_STATES_MAX })

  // A read that began before snapshots were rewritten begins again.
  let rewrites = 0

  async function load(stateNid: number): Promise<RoomState> {
    const known = stateNid === EMPTY_STATE.nid ? EMPTY_STATE : cache.get(stateNid)
    if (known !== undefined) return known
    const rewritesBefore = rewrites
    const rows = []
    let base: RoomState | undefined
    let nid: number | null = stateNid
    while (nid !== null && base === undefined) {
      const row = await snapshot(db, nid)
      if (row === undefined) throw new Error(`state snapshot ${nid} is missing`)
      rows.push(row)
      if (rows.length > CHAIN_LENGTH_MAX) throw new Error(`state snapshot ${stateNid} has too many anchors`)
      nid = row.anchor_nid
      if (nid !== null) base = cache.get(nid)
    }
    if (rewrites !== rewritesBefore) return load(stateNid)
    for (const row of rows.toReversed()) {
      const map = applyStateChanges(base?.map ?? emptyStateMap(), unpackStateDelta(row.delta))
      base = { nid: row.state_nid, sequence: row.sequence, map, anchor: base }
      cache.set(base.nid, base)
    }
    return base!
  }

  return {
    load,
    remember: (state) => void cache.set(state.nid, state),
    rewritten: (stateNids) => {
      rewrites += 1
      for (const [nid, state] of cache) if (buildsOn(state, stateNids)) cache.delete(nid)
    },
  }
}

function buildsOn(state: RoomState, stateNids: ReadonlySet<number>): boolean {
  for (let at: RoomState | undefined = state; at !== undefined; at = at.anchor) if (stateNids.has(at.nid)) return true
  return false
}

/** The state after one more change, or after a merge with `before` as the nearest parent; undefined for a room's first state. */
export function nextState(nid: number, map: StateMap, before: RoomState | undefined): RoomState {
  if (before === undefined || before.nid === EMPTY_STATE.nid) return { nid, sequence: 0, map, anchor: undefined }
  const sequence = before.sequence + 1
  const anchorSequence = anchorSequenceOf(sequence)
  let anchor: RoomState | undefined = anchorSequence === undefined ? undefined : before
  while (anchor !== undefined && anchor.sequence !== anchorSequence) anchor = anchor.anchor
  return { nid, sequence, map, anchor }
}

/** The number of the snapshot that snapshot `sequence` is stored against; undefined: it is stored complete. */
export function anchorSequenceOf(sequence: number): number | undefined {
  let step = BRANCHING
  for (let level = 0; level < LEVELS; level += 1) {
    if (sequence % step !== 0) return sequence - (sequence % step)
    step *= BRANCHING
  }
  return undefined
}

/** The row that stores a state. */
export function storeState(state: RoomState, roomNid: number): Statement {
  const changes = diffStateMaps(state.anchor?.map ?? emptyStateMap(), state.map)
  return insertSnapshot({
    stateNid: state.nid,
    roomNid,
    sequence: state.sequence,
    anchorNid: state.anchor?.nid ?? null,
    delta: packStateDelta(changes),
  })
}
