/** A room as the server that let us in describes it: checked, stored, and begun with our join. */
import { matrixError } from '@holdfast/protocol/errors'
import type { EventId, ServerName, UserId } from '@holdfast/protocol/ids/brand'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import { declaredRoomVersion } from '@holdfast/protocol/room-version/rules'
import { stateMapOf, stateMapGet, type StateEntry, type StateMap } from '@holdfast/protocol/state/state-map'
import type { Homeserver } from '../../homeserver.ts'
import { coreOf, isAuthorising, namedServersOf, type ToldJoin, type ToldRoom } from '../incomplete/core-events.ts'
import type { Filling } from '../incomplete/incomplete-rooms.ts'
import { acceptEvents, type AcceptDeps, type AcceptedRoom } from '../receive/accept-events.ts'
import { checkIncoming, type CheckedEvents } from '../receive/check-incoming.ts'
import type { Arrival, IncomingEvent } from '../receive/incoming.ts'
import { isRejected, type KnownEvent } from '../receive/known-events.ts'
import { EMPTY_STATE } from '../state-store.ts'
import { hideOutsideEvents } from '../../storage/events.ts'
import { incompleteRoom, insertIncompleteRoom } from '../../storage/incomplete-rooms.ts'
import { storeOutliers } from '../receive/store-outliers.ts'

export type ImportDeps = AcceptDeps & Pick<Homeserver, 'serverKeys' | 'clock' | 'incompleteRooms' | 'log'>

export type Import = Pick<Arrival, 'transaction'> & {
  readonly told: ToldJoin
  readonly incoming: IncomingEvent
  /** Who told it. */
  readonly via: ServerName
}

/**
 * Begins the room with the event, and with the told state, or with the core of it where that is large or not whole. What does not
 * hold of the state is left out; without a create event that fits the room nothing is begun.
 * @returns the room, if it is to be filled in
 * @throws {MatrixError} M_BAD_STATE
 */
export async function importRoom(deps: ImportDeps, room: AcceptedRoom, given: Import): Promise<Filling | undefined> {
  const { told, incoming } = given
  const isNew = (await deps.heads.byNid(room.roomNid)).state.nid === EMPTY_STATE.nid
  const core = isNew ? coreOf(told, peopleOf(incoming)) : undefined
  if (told.membersOmitted && !isNew)
    throw badState('The other server leaves out members, although it was not asked to.')
  const begun =
    core !== undefined || told.membersOmitted ? await importCore(deps, room, { ...given, core: core ?? told }) : 'no'
  if (begun !== 'no') return begun
  // With a whole state at hand the slow way is open; what the core lacks may be in the rest.
  if (told.membersOmitted) throw badState('The state that the other server told lacks what the join builds on.')
  const { state } = await storedState(deps, room, told)
  const outcome = await begin(deps, room, { ...arrivalOf(given, state), namedServers: [] })
  if (outcome === 'missing') throw notAdmitted('its state is incomplete')
  return undefined
}

/** Whose events ours builds on. */
function peopleOf({ parsed: { pdu } }: IncomingEvent): readonly UserId[] {
  const voucher = pdu.content['join_authorised_via_users_server']
  const vouching = typeof voucher === 'string' ? parseUserId(voucher) : undefined
  return vouching === undefined ? [pdu.sender] : [pdu.sender, vouching]
}

async function importCore(
  deps: ImportDeps,
  room: AcceptedRoom,
  given: Import & { readonly core: ToldRoom },
): Promise<Filling | 'no'> {
  const { roomNid } = room
  // Members that are left out of the state are in it all the same: what the join cites is what stood there before it.
  const cited = given.told.membersOmitted ? given.incoming.parsed.pdu.authEvents : []
  const { state, isSound } = await storedState(deps, room, given.core, cited)
  if (!isSound) return 'no'
  const [joinNid] = await deps.nids.events.take(1)
  const begun = { roomNid, joinNid: joinNid!, via: given.via, beganMs: deps.clock.nowMs() }
  const drafted = { nid: joinNid!, sides: [{ statement: insertIncompleteRoom(begun), broken: undefined }] }
  // Before the commit, as from then on others can see the room.
  const filling = deps.incompleteRooms.began(begun)
  try {
    await begin(deps, room, {
      arrival: { ...arrivalOf(given, state).arrival, drafted },
      namedServers: namedServersOf(given.told, deps.serverName),
    })
  } catch (error) {
    // Where it is not known whether the commit was applied, the row tells.
    if (await isIncomplete(deps, roomNid)) return filling
    deps.incompleteRooms.ended(roomNid)
    throw error
  }
  if (await isIncomplete(deps, roomNid)) return filling
  deps.incompleteRooms.ended(roomNid)
  return 'no'
}

const ASKED_AGAIN_MS = 1_000

/** Whoever lost the connection to the database has to wait for the answer: a part of a state must not pass for the whole. */
async function isIncomplete({ db, clock, incompleteRooms }: ImportDeps, roomNid: number): Promise<boolean> {
  for (;;) {
    try {
      return (await incompleteRoom(db, roomNid)) !== undefined
    } catch (error) {
      if (incompleteRooms.isStopping) throw error
      await clock.sleep(ASKED_AGAIN_MS)
    }
  }
}

function arrivalOf({ incoming, transaction }: Import, state: StateMap): { readonly arrival: Arrival } {
  const statesAfter = new Map(incoming.parsed.pdu.prevEvents.map((eventId) => [eventId, state] as const))
  return { arrival: { incoming, statesAfter, ...(transaction === undefined ? {} : { transaction }) } }
}

type StoredState = {
  readonly state: StateMap
  /** What events are judged by was all fit to be stored. */
  readonly isSound: boolean
}

/** Stores what was told, and makes a state of it. */
async function storedState(
  deps: ImportDeps,
  room: AcceptedRoom,
  told: ToldRoom,
  cited: readonly EventId[] = [],
): Promise<StoredState> {
  const values = [...told.authChain, ...told.state].map((value) => ({ value }))
  const checked = await checkIncoming(deps, room, { values })
  assertOneCreate(room, checked)
  // Nobody could check them, and their edges are not known: they must not become part of the room's graph.
  await deps.db.commit([hideOutsideEvents(room.roomNid)])
  const known = await storeOutliers(deps, room, checked.incoming)
  const ids = checked.ids.slice(told.authChain.length)
  const isSound = told.state.every((event, index) => {
    const eventId = ids[index]
    return !isAuthorising(event) || (eventId !== undefined && known.has(eventId))
  })
  return { state: await stateOf(deps, [...cited, ...ids], known), isSound }
}

async function begin(
  deps: ImportDeps,
  room: AcceptedRoom,
  { arrival, namedServers }: { readonly arrival: Arrival; readonly namedServers: readonly ServerName[] },
): Promise<'begun' | 'missing'> {
  const [acceptance] = await acceptEvents(deps, room, { arrivals: [arrival], time: 'anew', namedServers })
  const { outcome } = acceptance!
  if (outcome === 'missing') return outcome
  if (outcome === 'accepted' || outcome === 'known') return 'begun'
  throw notAdmitted('message' in acceptance! ? acceptance.message : 'it is refused')
}

function notAdmitted(reason: string): Error {
  return badState(`The room as the other server describes it does not admit the join: ${reason}`)
}

function badState(message: string): Error {
  return matrixError('M_BAD_STATE', message)
}

/** The room's create event, of the version that was agreed on. */
function assertOneCreate({ rules }: AcceptedRoom, { incoming, problems }: CheckedEvents): void {
  const creates = incoming.filter(({ parsed: { pdu } }) => pdu.type === 'm.room.create' && pdu.stateKey === '')
  const [create] = creates
  if (creates.length !== 1 || declaredRoomVersion(create!.parsed.pdu.content) !== rules.version) {
    const [problem = ''] = problems.values()
    throw badState(
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
    throw badState('The other server describes a room without a create event.')
  }
  return map
}
