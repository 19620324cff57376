/** The states that received events build on: those after their previous events, merged where they differ. */
import type { AuthState } from '@holdfast/protocol/auth/auth-state'
import { authStateOf } from '@holdfast/protocol/auth/auth-state'
import { selectAuthEvents } from '@holdfast/protocol/event/auth-events'
import type { Pdu } from '@holdfast/protocol/event/pdu'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import { diffStateMaps, stateMapGet, stateMapSet, type StateMap } from '@holdfast/protocol/state/state-map'
import type { StateKey } from '../../dictionary/dictionary.ts'
import type { Homeserver } from '../../homeserver.ts'
import { resolveStates, type UnstoredEvents } from '../resolve-states.ts'
import type { StoredEventRef } from '../room-changes.ts'
import { EMPTY_STATE, nextState, type RoomState } from '../state-store.ts'

export type StatesDeps = Pick<Homeserver, 'events' | 'dictionary' | 'authGraph' | 'states' | 'nids'>

export const CREATE_KEY: StateKey = { type: 'm.room.create', stateKey: '' }

/** Merges remembered for one batch: events of a fork come in a row, and meet the same states again and again. */
const REMEMBERED_MERGES_MAX = 64

export class BatchStates {
  readonly #deps: StatesDeps
  readonly #rules: RoomRules
  readonly #unstored: UnstoredEvents
  readonly #merges = new Map<string, RoomState>()
  readonly #made = new Map<number, RoomState>()
  readonly #byMap = new Map<StateMap, RoomState>()
  #unclaimed: RoomState[] = []

  constructor(deps: StatesDeps, rules: RoomRules, unstored: UnstoredEvents) {
    this.#deps = deps
    this.#rules = rules
    this.#unstored = unstored
  }

  async load(stateNid: number): Promise<RoomState> {
    return this.#made.get(stateNid) ?? this.#deps.states.load(stateNid)
  }

  /** The states made since the last call: they have to be stored with the event that needed them. */
  takeNew(): readonly RoomState[] {
    const states = this.#unclaimed
    this.#unclaimed = []
    return states
  }

  /** A state by its map alone, near to `parent`. */
  async stateOf(map: StateMap, parent: RoomState | undefined): Promise<RoomState> {
    if (parent !== undefined && parent.nid !== EMPTY_STATE.nid && diffStateMaps(parent.map, map).length === 0)
      return parent
    const known = this.#byMap.get(map)
    if (known !== undefined) return known
    const made = await this.#make(map, parent)
    this.#byMap.set(map, made)
    return made
  }

  async withEvent(before: RoomState, stateKeyNid: number, eventNid: number): Promise<RoomState> {
    return this.#make(stateMapSet(before.map, stateKeyNid, eventNid), before)
  }

  async merge(states: readonly RoomState[]): Promise<RoomState> {
    const distinct = [...new Map(states.map((state) => [state.nid, state])).values()]
    if (distinct.length === 0) return EMPTY_STATE
    if (distinct.length === 1) return distinct[0]!
    const key = distinct
      .map(({ nid }) => nid)
      .sort((a, b) => a - b)
      .join(' ')
    const known = this.#merges.get(key)
    if (known !== undefined) return known
    const maps = distinct.map(({ map }) => map)
    const map = await resolveStates(this.#deps, this.#rules, maps, this.#unstored)
    const merged = await this.#nearest(map, distinct)
    if (this.#merges.size < REMEMBERED_MERGES_MAX) this.#merges.set(key, merged)
    return merged
  }

  async event(nid: number): Promise<StoredEventRef | undefined> {
    return this.#unstored.event(nid) ?? this.#deps.events.byNid(nid)
  }

  /** Those of the events that exist, by nid. */
  async eventsByNid(nids: readonly number[]): Promise<ReadonlyMap<number, StoredEventRef>> {
    const found = new Map<number, StoredEventRef>()
    const stored: number[] = []
    for (const nid of nids) {
      const unstored = this.#unstored.event(nid)
      if (unstored === undefined) stored.push(nid)
      else found.set(nid, unstored)
    }
    for (const [nid, event] of await this.#deps.events.byNids(stored)) found.set(nid, event)
    return found
  }

  async eventAt(map: StateMap, key: StateKey): Promise<StoredEventRef | undefined> {
    const keyNid = await this.#deps.dictionary.stateKeyNid(key)
    const nid = keyNid === undefined ? undefined : stateMapGet(map, keyNid)
    return nid === undefined ? undefined : this.event(nid)
  }

  /** What the authorisation rules may look at for this event. */
  async authState(map: StateMap, pdu: Pdu): Promise<AuthState> {
    const keys = [CREATE_KEY, ...selectAuthEvents(this.#rules, pdu)]
    const events = await Promise.all(keys.map((key) => this.eventAt(map, key)))
    return authStateOf(events.flatMap((event) => (event === undefined ? [] : [event.pdu])))
  }

  async #nearest(map: StateMap, parents: readonly RoomState[]): Promise<RoomState> {
    let best: { readonly parent: RoomState; readonly changes: number } | undefined
    for (const parent of parents) {
      const changes = diffStateMaps(parent.map, map).length
      if (changes === 0) return parent
      if (best === undefined || changes < best.changes) best = { parent, changes }
    }
    return this.#make(map, best?.parent)
  }

  async #make(map: StateMap, parent: RoomState | undefined): Promise<RoomState> {
    const [nid] = await this.#deps.nids.states.take(1)
    const state = nextState(nid!, map, parent)
    this.#made.set(state.nid, state)
    this.#unclaimed.push(state)
    return state
  }
}
