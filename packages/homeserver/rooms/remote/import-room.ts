/** A room as the server that let us in describes it: checked, stored, and begun with our join. */
import { matrixError } from '@holdfast/protocol/errors'
import type { EventId } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { declaredRoomVersion } from '@holdfast/protocol/room-version/rules'
import { stateMapOf, stateMapGet, type StateEntry, type StateMap } from '@holdfast/protocol/state/state-map'
import type { Homeserver } from '../../homeserver.ts'
import { acceptEvents, type AcceptDeps, type AcceptedRoom } from '../receive/accept-events.ts'
import { checkIncoming, type CheckedEvents } from '../receive/check-incoming.ts'
import type { Arrival, IncomingEvent } from '../receive/incoming.ts'
import { isRejected, type KnownEvent } from '../receive/known-events.ts'
import { hideOutsideEvents } from '../../storage/events.ts'
import { storeOutliers } from '../receive/store-outliers.ts'

export type ImportDeps = AcceptDeps & Pick<Homeserver, 'serverKeys' | 'clock'>

export type ToldRoom = {
  /** The state before our event. */
  readonly state: readonly JsonObject[]
  readonly authChain: readonly JsonObject[]
}

/**
 * Stores the told state and begins the room with the event. What does not hold of the state is left out; without a create event
 * that fits the room nothing is begun.
 * @throws {MatrixError} M_BAD_STATE
 */
export async function importRoom(
  deps: ImportDeps,
  room: AcceptedRoom,
  {
    told,
    incoming,
    transaction,
  }: Pick<Arrival, 'transaction'> & { readonly told: ToldRoom; readonly incoming: IncomingEvent },
): Promise<void> {
  const values = [...told.authChain, ...told.state].map((value) => ({ value }))
  const checked = await checkIncoming(deps, room, { values })
  assertOneCreate(room, checked)
  // Nobody could check them, and their edges are not known: they must not become part of the room's graph.
  await deps.db.commit([hideOutsideEvents(room.roomNid)])
  const known = await storeOutliers(deps, room, checked.incoming)
  const state = await stateOf(deps, checked.ids.slice(told.authChain.length), known)
  const { pdu } = incoming.parsed
  const statesAfter = new Map(pdu.prevEvents.map((eventId) => [eventId, state] as const))
  const arrival: Arrival = { incoming, statesAfter, ...(transaction === undefined ? {} : { transaction }) }
  const [acceptance] = await acceptEvents(deps, room, { arrivals: [arrival], time: 'anew' })
  const { outcome } = acceptance!
  if (outcome === 'accepted' || outcome === 'known') return
  const reason = 'message' in acceptance! ? acceptance.message : 'its state is incomplete'
  throw matrixError('M_BAD_STATE', `The room as the other server describes it does not admit the join: ${reason}`)
}

/** The room's create event, of the version that was agreed on. */
function assertOneCreate({ rules }: AcceptedRoom, { incoming, problems }: CheckedEvents): void {
  const creates = incoming.filter(({ parsed: { pdu } }) => pdu.type === 'm.room.create' && pdu.stateKey === '')
  const [create] = creates
  if (creates.length !== 1 || declaredRoomVersion(create!.parsed.pdu.content) !== rules.version) {
    const [problem = ''] = problems.values()
    throw matrixError(
      'M_BAD_STATE',
      `The other server describes a room that does not begin as a room of its version must. ${problem}`.trimEnd(),
    )
  }
}

async function stateOf(
  deps: Pick<Homeserver, 'dictionary'>,
  ids: readonly (EventId | undefined)[],
  known: ReadonlyMap<EventId, KnownEvent>,
): Promise<StateMap> {
  const entries: StateEntry[] = []
  for (const eventId of ids) {
    const event = eventId === undefined ? undefined : known.get(eventId)
    if (event?.stateKeyNid !== undefined && !isRejected(event)) entries.push([event.stateKeyNid, event.nid])
  }
  const map = stateMapOf(entries)
  const createKey = await deps.dictionary.stateKeyNid({ type: 'm.room.create', stateKey: '' })
  if (createKey === undefined || stateMapGet(map, createKey) === undefined) {
    throw matrixError('M_BAD_STATE', 'The other server describes a room without a create event.')
  }
  return map
}
