/** What the states agree on, and what not. */
import { diffStateMaps, stateMapGet } from '../state-map.ts'
import type { StateMap } from '../state-map.ts'
import { PAUSE } from './ledger.ts'
import type { Ledger, Step } from './ledger.ts'

/** Which of the states: bit i is that of the i-th. */
export type StateMask = bigint

export type Partition = {
  /** The first state: what it has at the keys below is in dispute, the rest is common to all. */
  readonly base: StateMap
  /** Every key that some states have otherwise than others, or not at all, with its events and the states that have them. */
  readonly differing: ReadonlyMap<number, ReadonlyMap<number, StateMask>>
  /** The mask of all states. */
  readonly everyState: StateMask
}

/** Costs what differs between the first state and each other, where they share structure. */
export function* partition(ledger: Ledger, states: readonly StateMap[]): Step<Partition> {
  const base = states[0]!
  const others = distinctFrom(base, states)
  const everyState = (1n << BigInt(others.length + 1)) - 1n
  const differing = new Map<number, Map<number, StateMask>>()
  for (const [index, other] of others.entries()) {
    const bit = 2n << BigInt(index)
    for (const { key, before, after } of diffStateMaps(base, other)) {
      const masks = differing.get(key) ?? maskOfBase(before, everyState)
      differing.set(key, masks)
      if (before !== undefined) masks.set(before, masks.get(before)! & ~bit)
      if (after !== undefined) masks.set(after, (masks.get(after) ?? 0n) | bit)
      if (ledger.isPauseDue(1)) yield PAUSE
    }
  }
  return { base, differing, everyState }
}

function distinctFrom(base: StateMap, states: readonly StateMap[]): StateMap[] {
  const roots = new Set([base.root])
  return states.filter(({ root }) => {
    if (roots.has(root)) return false
    roots.add(root)
    return true
  })
}

function maskOfBase(before: number | undefined, everyState: StateMask): Map<number, StateMask> {
  return new Map(before === undefined ? [] : [[before, everyState]])
}

/** What every state has at this key; undefined if they differ, or have nothing there. */
export function agreedAt({ base, differing }: Partition, keyNid: number): number | undefined {
  return keyNid < 0 || differing.has(keyNid) ? undefined : stateMapGet(base, keyNid)
}

/** The conflicted state set, with the states that each event is in. */
export function* conflictedEvents(ledger: Ledger, { differing }: Partition): Step<Map<number, StateMask>> {
  const events = new Map<number, StateMask>()
  for (const masks of differing.values()) {
    for (const [nid, mask] of masks) events.set(nid, mask)
    if (ledger.isPauseDue(masks.size)) yield PAUSE
  }
  return events
}
