/** What a resolution knows, what it asked for already, and how long it has run without a pause. */
import type { Pdu } from '../../event/pdu.ts'

/** What the resolution has to know of a state event. */
export type ResolutionEvent = {
  readonly nid: number
  readonly pdu: Pdu
  /** The integer of (type, state_key) in a `StateMap`. */
  readonly stateKeyNid: number
  readonly rejected: boolean
}

/** What has to be loaded before it can go on; all empty: a pause, so that the caller can let others run. */
export type ResolutionNeeds = {
  readonly events: readonly number[]
  /** Nids of events whose auth edges are needed. */
  readonly edges: readonly number[]
  readonly stateKeys: readonly (readonly [type: string, stateKey: string])[]
}

/** Answers from what is loaded. What it does not have after it was asked for counts as missing for good. */
export type ResolutionSource = {
  event(nid: number): ResolutionEvent | undefined
  /** The auth edges of a state event as nids, each smaller than its own; undefined: not loaded yet. */
  authNids(nid: number): readonly number[] | undefined
  /** undefined: not loaded yet, or, after it was asked for: there is no such key. */
  stateKeyNid(type: string, stateKey: string): number | undefined
}

/** A step that may have to wait for something, or pause. */
export type Step<T = void> = Generator<ResolutionNeeds, T, void>

export type Ledger = {
  readonly event: (nid: number) => ResolutionEvent | undefined
  /** Empty for events without edges, and for those that cannot be loaded. */
  readonly authNids: (nid: number) => readonly number[]
  /** -1: there is no such key, so no state has it. */
  readonly stateKeyNid: (type: string, stateKey: string) => number
  readonly needsEvent: (nid: number) => boolean
  readonly needsEdges: (nid: number) => boolean
  readonly needsStateKey: (type: string, stateKey: string) => boolean
  /** Waits for what is not loaded of these; after it, `event` and `authNids` speak for good. */
  readonly load: (wanted: Partial<ResolutionNeeds>) => Step
  /** Adds to the work since the last pause, in units of about a microsecond, and tells whether it is time for one. */
  readonly isPauseDue: (cost: number) => boolean
}

export const PAUSE: ResolutionNeeds = Object.freeze({ events: [], edges: [], stateKeys: [] })

/** Work between two pauses, in microseconds of an ordinary machine. */
const PAUSE_AFTER = 1000
/** Things looked at, and so asked for, at once. */
const LOAD_MAX = 2000
const NO_EDGES: readonly number[] = []

export function createLedger(source: ResolutionSource): Ledger {
  const asked = { events: new Set<number>(), edges: new Set<number>(), stateKeys: new Set<string>() }
  let spent = 0
  const isPauseDue = (cost: number): boolean => {
    spent += cost
    if (spent < PAUSE_AFTER) return false
    spent = 0
    return true
  }
  const needsEvent = (nid: number): boolean => source.event(nid) === undefined && !asked.events.has(nid)
  const needsEdges = (nid: number): boolean => source.authNids(nid) === undefined && !asked.edges.has(nid)
  const needsStateKey = (type: string, stateKey: string): boolean =>
    source.stateKeyNid(type, stateKey) === undefined && !asked.stateKeys.has(keyText(type, stateKey))

  function* loadSome({ events, edges, stateKeys }: ResolutionNeeds): Step {
    const needs = {
      events: events.filter(needsEvent),
      edges: edges.filter(needsEdges),
      stateKeys: stateKeys.filter(([type, stateKey]) => needsStateKey(type, stateKey)),
    }
    if (needs.events.length + needs.edges.length + needs.stateKeys.length > 0) yield needs
    else if (isPauseDue((events.length + edges.length + stateKeys.length) / 4)) yield PAUSE
    for (const nid of needs.events) asked.events.add(nid)
    for (const nid of needs.edges) asked.edges.add(nid)
    for (const [type, stateKey] of needs.stateKeys) asked.stateKeys.add(keyText(type, stateKey))
  }

  function* load({ events = [], edges = [], stateKeys = [] }: Partial<ResolutionNeeds>): Step {
    for (let from = 0; from < Math.max(events.length, edges.length, stateKeys.length); from += LOAD_MAX) {
      const to = from + LOAD_MAX
      yield* loadSome({
        events: events.slice(from, to),
        edges: edges.slice(from, to),
        stateKeys: stateKeys.slice(from, to),
      })
    }
  }

  return {
    event: (nid) => source.event(nid),
    authNids: (nid) => source.authNids(nid) ?? NO_EDGES,
    stateKeyNid: (type, stateKey) => source.stateKeyNid(type, stateKey) ?? -1,
    needsEvent,
    needsEdges,
    needsStateKey,
    load,
    isPauseDue,
  }
}

function keyText(type: string, stateKey: string): string {
  return `${type.length} ${type}${stateKey}`
}
