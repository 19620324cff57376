/** The whole state of an incomplete room, as another server tells it: checked, stored behind, and held against the core. */
import { authorize } from '@holdfast/protocol/auth/authorize'
import type { EventId } from '@holdfast/protocol/ids/brand'
import {
  stateMapGet,
  stateMapOf,
  stateMapEntries,
  type StateEntry,
  type StateMap,
} from '@holdfast/protocol/state/state-map'
import type { Homeserver } from '../../homeserver.ts'
import { checkIncoming } from '../receive/check-incoming.ts'
import type { EventSignaturesDeps } from '../../federation/keys/event-signatures.ts'
import { authStateAt } from '../current-state.ts'
import type { StoredEvent } from '../event-store.ts'
import { isRejected, knownEvents } from '../receive/known-events.ts'
import { storeOutliers, type OutlierDeps } from '../receive/store-outliers.ts'
import { selectAuthEvents } from '@holdfast/protocol/event/auth-events'
import type { RoomState } from '../state-store.ts'
import type { ToldRoom } from './core-events.ts'
import type { Filling } from './incomplete-rooms.ts'

export type TakeDeps = OutlierDeps & EventSignaturesDeps & Pick<Homeserver, 'states'>

/** Our join, and the part of the state that the room began with: the first snapshot, which the others are stored against. */
export type Begun = { readonly join: StoredEvent; readonly core: RoomState }

export async function begunWith(deps: Pick<Homeserver, 'events' | 'states'>, { joinNid }: Filling): Promise<Begun> {
  const join = await deps.events.byNid(joinNid)
  const core = join === undefined ? undefined : (await deps.states.load(join.stateNid)).anchor
  if (join === undefined || core === undefined)
    throw new Error(`the join ${joinNid} of an incomplete room is not there`)
  return { join, core }
}

/** Stores what was told. @returns the state before our join */
export async function takeToldState(deps: TakeDeps, filling: Filling, told: ToldRoom): Promise<StateMap> {
  const { signal, progress } = filling
  const room = await deps.events.room(filling.roomNid)
  const values = [...told.authChain, ...told.state].map((value) => ({ value }))
  progress.told = values.length
  progress.stored = 0
  const { incoming, ids } = await checkIncoming(deps, room, { values, signal })
  signal.throwIfAborted()
  await storeOutliers(deps, room, incoming, {
    signal,
    stored: (count) => {
      progress.stored = count
    },
  })
  const stateIds = ids.slice(told.authChain.length).filter((id) => id !== undefined)
  return stateOf(deps, filling, stateIds)
}

/** What does not hold of the state is left out, as when a room is taken in whole. */
async function stateOf(deps: TakeDeps, filling: Filling, ids: readonly EventId[]): Promise<StateMap> {
  const known = await knownEvents(deps.db, filling.roomNid, ids)
  const { join, core } = await begunWith(deps, filling)
  const entries: StateEntry[] = []
  for (const eventId of ids) {
    const event = known.get(eventId)
    if (event?.stateKeyNid === undefined || isRejected(event)) continue
    // What stands at the key of our own member event before the join, the core knows.
    if (event.stateKeyNid !== join.stateKeyNid) entries.push([event.stateKeyNid, event.nid])
  }
  const own = stateMapGet(core.map, join.stateKeyNid!)
  return stateMapOf(own === undefined ? entries : [...entries, [join.stateKeyNid!, own]])
}

/** What we judged our own events by, so that there must not be another one now. */
const JUDGED_BY = ['m.room.create', 'm.room.power_levels', 'm.room.join_rules']

/** Why this cannot be the whole of the state that the room began with; undefined: it can. */
export async function contradictionIn(
  deps: TakeDeps & Pick<Homeserver, 'dictionary'>,
  { join, core }: Begun,
  whole: StateMap,
): Promise<string | undefined> {
  const differing = stateMapEntries(core.map).find(([key, nid]) => stateMapGet(whole, key) !== nid)
  if (differing !== undefined) {
    const [key] = await deps.dictionary.stateKeys([differing[0]])
    return `its ${key!.type} is another one than was told with the join`
  }
  for (const type of JUDGED_BY) {
    const key = await deps.dictionary.stateKeyNid({ type, stateKey: '' })
    if (key !== undefined && stateMapGet(whole, key) !== stateMapGet(core.map, key))
      return `its ${type} was not told with the join`
  }
  const { rules } = await deps.events.room(join.roomNid)
  const keys = [{ type: 'm.room.create', stateKey: '' }, ...selectAuthEvents(rules, join.pdu)]
  const verdict = authorize(rules, join.pdu, await authStateAt(deps, whole, keys))
  return verdict.allowed ? undefined : `it does not admit the join: ${verdict.message}`
}
