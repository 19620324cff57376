/** What an event changed of the state of its room. */
import { diffStateMaps } from '@holdfast/protocol/state/state-map'
import type { Homeserver } from '../homeserver.ts'
import type { StoredEvent } from '../rooms/event-store.ts'
import { HIDDEN_FLAGS, NOWHERE, stateAtPosition } from '../storage/events.ts'
import { EXPLAIN_LIMITS } from './limits.ts'

export type StateDeps = Pick<Homeserver, 'db' | 'events' | 'states' | 'heads' | 'dictionary'>

export type StateChangeExplained = {
  readonly type: string
  readonly state_key: string
  readonly before: string | null
  readonly after: string | null
}

export type StateExplained = {
  /** What was different in the room once the event was accepted; more than the event itself where states met. */
  readonly changed: readonly StateChangeExplained[]
  readonly changed_count: number
}

/** undefined: the event is on no timeline, or on the part of it that came before the room was joined. */
export async function stateChangeBy(deps: StateDeps, event: StoredEvent): Promise<StateExplained | undefined> {
  const { roomNid, position } = event
  if ((event.flags & HIDDEN_FLAGS) !== 0 || position === NOWHERE) return undefined
  const after = await stateAtPosition(deps.db, { roomNid, position })
  const before = await stateAtPosition(deps.db, { roomNid, position: position - 1 })
  if (after === undefined || after.state_nid === 0 || before?.state_nid === 0) return undefined
  if (before?.state_nid === after.state_nid) return { changed: [], changed_count: 0 }
  const [from, to] = [await deps.states.load(before?.state_nid ?? 0), await deps.states.load(after.state_nid)]
  const changes = diffStateMaps(from.map, to.map)
  const shown = changes.slice(0, EXPLAIN_LIMITS.stateChangesMax)
  const keys = await deps.dictionary.stateKeys(shown.map(({ key }) => key))
  const nids = shown.flatMap(({ before: old, after: fresh }) => [old ?? [], fresh ?? []].flat())
  const events = await deps.events.byNids(nids)
  const idOf = (nid: number | undefined) => (nid === undefined ? null : (events.get(nid)?.pdu.eventId ?? null))
  const changed = shown.map((change, index) => ({
    type: keys[index]!.type,
    state_key: keys[index]!.stateKey,
    before: idOf(change.before),
    after: idOf(change.after),
  }))
  return { changed, changed_count: changes.length }
}
