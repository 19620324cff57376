/** Rooms that nobody here is in, known by an invitation, a knock, or a join under way: a row without a state. */
import type { RoomId, UserId } from '@holdfast/protocol/ids/brand'
import { matrixError } from '@holdfast/protocol/errors'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import type { Homeserver } from '../../homeserver.ts'
import { EVENT_FLAGS, insertEvent } from '../../storage/events.ts'
import { setStrippedState } from '../../storage/federation-rooms.ts'
import { setMembership, type Membership } from '../../storage/memberships.ts'
import { insertRoom, setRoomVersion } from '../../storage/rooms.ts'
import type { AcceptedRoom } from '../receive/accept-events.ts'
import { knownEvents } from '../receive/known-events.ts'
import { packEdges, packNids } from '../edges.ts'
import { eventIdHash } from '../event-store.ts'
import type { IncomingEvent } from '../receive/incoming.ts'
import { wordsOf } from '../receive/words.ts'
import { EMPTY_STATE } from '../state-store.ts'

export type OutsideDeps = Pick<
  Homeserver,
  'db' | 'dictionary' | 'events' | 'heads' | 'memberships' | 'nids' | 'streams'
>

/**
 * The room, stored if it is not. Only whoever holds its inbox may call it. Of a room without a state nobody knows the version:
 * whoever invites to it may have been wrong, or have lied, so the last one who says something counts.
 * @throws {MatrixError} M_BAD_STATE if it is known with another version
 */
export async function ensureRoom(deps: OutsideDeps, roomId: RoomId, rules: RoomRules): Promise<AcceptedRoom> {
  const known = await deps.heads.roomNid(roomId)
  if (known !== undefined) {
    const identity = await deps.events.room(known)
    if (identity.version === rules.version) return { roomNid: known, roomId, rules }
    if ((await deps.heads.byNid(known)).state.nid === EMPTY_STATE.nid) {
      await deps.db.commit([setRoomVersion({ roomNid: known, version: rules.version })])
      deps.events.forgetRoom(known)
      deps.heads.drop(known)
      return { roomNid: known, roomId, rules }
    }
    throw matrixError('M_BAD_STATE', `The room has version ${identity.version}, not ${rules.version}.`)
  }
  const [roomNid] = await deps.nids.rooms.take(1)
  const room = {
    roomNid: roomNid!,
    roomId,
    version: rules.version,
    stateNid: EMPTY_STATE.nid,
    extremities: packNids([]),
    depth: 0,
    lastPositionOffset: 0,
  }
  await deps.streams.commit([insertRoom(room)], { positions: 1, publish: () => {} })
  return { roomNid: roomNid!, roomId, rules }
}

export type OutsideMembership = {
  readonly userId: UserId
  readonly membership: Membership
  /** The member event. */
  readonly incoming: IncomingEvent
  /** What the user may know of the room: the texts of stripped state events. */
  readonly stripped?: readonly string[]
  readonly transaction?: { readonly deviceNid: number; readonly transactionId: string | undefined }
}

/**
 * Sets the membership of a user here in a room that nobody here is in. The event is an outlier, as the room's graph is not known,
 * but it has a place in the stream, so that the user's clients hear of it.
 */
export async function setOutsideMembership(
  deps: OutsideDeps,
  room: AcceptedRoom,
  { userId, membership, incoming, stripped, transaction }: OutsideMembership,
): Promise<void> {
  const { roomNid } = room
  const { pdu, json } = incoming.parsed
  const known = (await knownEvents(deps.db, roomNid, [pdu.eventId])).get(pdu.eventId)
  const userNid = await deps.dictionary.internUser(userId)
  const words = await wordsOf(deps, pdu)
  const before = (await deps.memberships.of(userNid)).get(roomNid)
  const nid = known?.nid ?? (await deps.nids.events.take(1))[0]!
  const insert = insertEvent({
    nid,
    roomNid,
    position: { offset: 0 },
    eventId: pdu.eventId,
    eventIdHash: eventIdHash(pdu.eventId),
    typeNid: words.typeNid,
    senderNid: words.senderNid,
    stateKeyNid: words.stateKeyNid ?? null,
    originServerTs: pdu.originServerTs,
    depth: pdu.depth,
    flags: EVENT_FLAGS.outlier,
    stateNid: EMPTY_STATE.nid,
    roomStateNid: null,
    edges: packEdges({ prev: [], auth: [] }),
    replacesNid: before?.eventNid ?? null,
    deviceNid: transaction?.deviceNid ?? null,
    transactionId: transaction?.transactionId ?? null,
    json,
  })
  const statements = [
    ...(known === undefined ? [insert] : []),
    setMembership({ roomNid, userNid, membership, eventNid: nid, positionOffset: 0 }),
    ...(stripped === undefined ? [] : [setStrippedState({ roomNid, userNid, stripped: `[${stripped.join(',')}]` })]),
  ]
  await deps.streams.commit(statements, {
    positions: 1,
    publish: (position) => {
      deps.memberships.changed(userNid)
      deps.heads.drop(roomNid)
      deps.streams.roomChanged({ roomNid, position, joined: new Set(), membershipChanged: [userNid] })
    },
  })
}
