/** Everything that a change of a room writes, as one list of statements. */
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { Statement } from '@holdfast/platform/database/database'
import { insertEvent, NOWHERE, placeEvent } from '../storage/events.ts'
import { insertEventVerdict, insertOutgoingEvent, setRoomServer } from '../storage/federation-rooms.ts'
import { deleteNamedServers, insertNamedServer } from '../storage/incomplete-rooms.ts'
import { setMembership, setMembershipsByEvents } from '../storage/memberships.ts'
import { insertRoom, moveRoomHead } from '../storage/rooms.ts'
import { packEdges, packNids } from './edges.ts'
import { eventIdHash } from './event-store.ts'
import type { DraftEvent, MembershipChange, RoomChanges } from './room-changes.ts'
import { storeState } from './state-store.ts'

/** The statements of a change with at least one event; side statements come last, in the order of `sides`. */
export function statementsOf(changes: RoomChanges, ourName: ServerName): readonly Statement[] {
  const { roomNid } = changes.room
  const statements: Statement[] = []
  for (const drafted of changes.events) {
    for (const state of drafted.newStates) statements.push(storeState(state, roomNid))
    statements.push(eventStatement(drafted))
    const { verdict } = drafted
    if (verdict !== undefined) statements.push(insertEventVerdict({ eventNid: drafted.event.nid, ...verdict }))
  }
  statements.push(...membershipStatements(roomNid, lastChanges(changes.memberChanges)))
  const servers = serverCounts(changes, ourName)
  for (const [serverName, joined] of servers) statements.push(setRoomServer({ roomNid, serverName, joined }))
  statements.push(...namedServerStatements(changes))
  statements.push(...outgoingStatements(changes, { servers, ourName }))
  if (positionsOf(changes) > 0) statements.push(headStatement(changes))
  return [...statements, ...changes.sides.map((side) => side.statement)]
}

/** With more than so many, as when a whole room begins here, the database finds the users by the events. */
const MEMBERSHIPS_BY_ONE_MAX = 50

function namedServerStatements({ room: { roomNid }, namedServers }: RoomChanges): readonly Statement[] {
  if (namedServers === undefined) return []
  return [deleteNamedServers(roomNid), ...namedServers.map((serverName) => insertNamedServer({ roomNid, serverName }))]
}

export function membershipStatements(roomNid: number, changes: readonly MembershipChange[]): readonly Statement[] {
  if (changes.length <= MEMBERSHIPS_BY_ONE_MAX) {
    return changes.map(({ userNid, membership, eventNid, positionOffset }) =>
      setMembership({ roomNid, userNid, membership, eventNid, positionOffset }),
    )
  }
  const alike = Map.groupBy(changes, ({ membership, positionOffset }) => `${membership} ${positionOffset}`)
  return [...alike.values()].map((some) => {
    const { membership, positionOffset } = some[0]!
    return setMembershipsByEvents({
      roomNid,
      membership,
      positionOffset,
      eventNids: some.map(({ eventNid }) => eventNid),
    })
  })
}

/** How many positions of the stream the commit takes. */
export function positionsOf({ events }: Pick<RoomChanges, 'events'>): number {
  return events.reduce((count, { positionOffset }) => Math.max(count, (positionOffset ?? -1) + 1), 0)
}

/** Only the last membership of each user counts; the one before was never seen. */
function lastChanges(changes: readonly MembershipChange[]): readonly MembershipChange[] {
  return [...new Map(changes.map((change) => [change.userNid, change])).values()]
}

/** The other servers whose number of joined members changes, with the new number. */
export function serverCounts(
  changes: Pick<RoomChanges, 'head' | 'memberChanges'>,
  ourName: ServerName,
): ReadonlyMap<ServerName, number> {
  const members = changes.head?.members
  const counts = new Map<ServerName, number>()
  for (const { userNid, userId, membership } of lastChanges(changes.memberChanges)) {
    const server = serverNameOf(userId)
    if (server === ourName) continue
    const was = members?.joined.has(userNid) === true ? 1 : 0
    const is = membership === 'join' ? 1 : 0
    if (was !== is) counts.set(server, (counts.get(server) ?? members?.servers.get(server) ?? 0) + is - was)
  }
  return counts
}

function eventStatement(drafted: DraftEvent): Statement {
  const { event, typeNid, positionOffset, pastPosition, roomStateNid, edges } = drafted
  const placed = {
    nid: event.nid,
    position: positionOffset === undefined ? { at: pastPosition ?? NOWHERE } : { offset: positionOffset },
    flags: event.flags,
    stateNid: event.stateNid,
    roomStateNid: roomStateNid ?? null,
    edges: packEdges(edges),
    replacesNid: event.replacesNid ?? null,
  }
  if (drafted.isStored === true) return placeEvent(placed)
  return insertEvent({
    ...placed,
    roomNid: event.roomNid,
    eventId: event.pdu.eventId,
    eventIdHash: eventIdHash(event.pdu.eventId),
    typeNid,
    senderNid: event.senderNid,
    stateKeyNid: event.stateKeyNid ?? null,
    originServerTs: event.pdu.originServerTs,
    depth: event.pdu.depth,
    deviceNid: event.deviceNid ?? null,
    transactionId: event.transactionId ?? null,
    json: event.json,
  })
}

/** What we made, for a room in which other servers are, or were until now. */
function outgoingStatements(
  changes: RoomChanges,
  { servers, ourName }: { readonly servers: ReadonlyMap<ServerName, number>; readonly ourName: ServerName },
): readonly Statement[] {
  const { room, head, events } = changes
  const left = [...servers].filter(([, joined]) => joined === 0).map(([server]) => server)
  const departed = [...new Set([...left, ...turnedAway(changes)])].filter((server) => server !== ourName)
  const isShared = (head?.members.servers.size ?? 0) > 0 || servers.size > left.length || departed.length > 0
  if (!isShared) return []
  return events.flatMap(({ event, positionOffset, isOurs }) =>
    isOurs && positionOffset !== undefined
      ? [insertOutgoingEvent({ positionOffset, roomNid: room.roomNid, eventNid: event.nid, departed })]
      : [],
  )
}

/** Servers of users whose invitation or knock is over: they are told, although they are not in the room. */
function turnedAway({ head, memberChanges, state }: RoomChanges): readonly ServerName[] {
  if (head === undefined) return []
  return lastChanges(memberChanges).flatMap(({ userNid, userId, membership }) => {
    const { joined, invited } = head.members
    const isOver = invited.has(userNid) ? membership === 'leave' || membership === 'ban' : membership === 'leave'
    return isOver && state !== head.state && !joined.has(userNid) ? [serverNameOf(userId)] : []
  })
}

function headStatement(changes: RoomChanges): Statement {
  const values = {
    roomNid: changes.room.roomNid,
    stateNid: changes.state.nid,
    extremities: packNids(changes.tips.map((event) => event.nid)),
    depth: changes.depth,
    lastPositionOffset: positionsOf(changes) - 1,
  }
  if (changes.head === undefined) {
    return insertRoom({ ...values, roomId: changes.roomId, version: changes.room.version })
  }
  return moveRoomHead({ ...values, fromPosition: changes.head.lastPosition })
}
