/** State events of rooms, as events. */
import type { AuthState } from '@holdfast/protocol/auth/auth-state'
import { forEachInStateMap, stateMapGet, type StateMap } from '@holdfast/protocol/state/state-map'
import type { StateKey } from '../dictionary/dictionary.ts'
import type { Homeserver } from '../homeserver.ts'
import type { StoredEvent } from './event-store.ts'

type StateDeps = Pick<Homeserver, 'dictionary' | 'events'>

/** The state event at a key, or undefined. */
export async function stateEventAt(deps: StateDeps, map: StateMap, key: StateKey): Promise<StoredEvent | undefined> {
  const keyNid = await deps.dictionary.stateKeyNid(key)
  const eventNid = keyNid === undefined ? undefined : stateMapGet(map, keyNid)
  return eventNid === undefined ? undefined : deps.events.byNid(eventNid)
}

/** Those of the keys that the state has. */
export async function stateEventsAt(
  deps: StateDeps,
  map: StateMap,
  keys: readonly StateKey[],
): Promise<readonly StoredEvent[]> {
  const events = await Promise.all(keys.map((key) => stateEventAt(deps, map, key)))
  return events.filter((event) => event !== undefined)
}

/** Every event of a state, by rising event nid. */
export async function allStateEvents(deps: StateDeps, map: StateMap): Promise<readonly StoredEvent[]> {
  const nids: number[] = []
  forEachInStateMap(map, (_key, eventNid) => nids.push(eventNid))
  const events = await deps.events.byNids(nids.sort((a, b) => a - b))
  return nids.map((nid) => events.get(nid)!)
}

/** The part of a state that some keys name, in the form the protocol rules read. */
export async function authStateAt(deps: StateDeps, map: StateMap, keys: readonly StateKey[]): Promise<AuthState> {
  const events = await stateEventsAt(deps, map, keys)
  return {
    get: (type, stateKey) => events.find(({ pdu }) => pdu.type === type && pdu.stateKey === stateKey)?.pdu,
  }
}
