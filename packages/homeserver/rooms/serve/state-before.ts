/** The state that an event was sent into. */
import { stateMapGet, stateMapRemove, stateMapSet, type StateMap } from '@holdfast/protocol/state/state-map'
import type { Homeserver } from '../../homeserver.ts'
import { EVENT_FLAGS } from '../../storage/events.ts'
import type { StoredEvent } from '../event-store.ts'

const NOT_WHOLE = EVENT_FLAGS.outlier | EVENT_FLAGS.partlyKnown

/** undefined where this server never knew it, as for events that it holds only because others name them. */
export async function stateBefore(deps: Pick<Homeserver, 'states'>, event: StoredEvent): Promise<StateMap | undefined> {
  if (event.stateNid === 0 || (event.flags & NOT_WHOLE) !== 0) return undefined
  const after = (await deps.states.load(event.stateNid)).map
  const key = event.stateKeyNid
  if (key === undefined || stateMapGet(after, key) !== event.nid) return after
  return event.replacesNid === undefined ? stateMapRemove(after, key) : stateMapSet(after, key, event.replacesNid)
}
