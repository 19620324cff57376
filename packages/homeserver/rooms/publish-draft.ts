/** After a commit: what is in memory follows what is on disk, and those who wait are woken. */
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../homeserver.ts'
import { NOWHERE } from '../storage/events.ts'
import { positionsOf, serverCounts } from './commit-draft.ts'
import type { DraftEvent, RoomChanges, StoredEventRef } from './room-changes.ts'
import type { RoomHead, RoomMembers } from './room-heads.ts'

export type PublishDeps = Pick<
  Homeserver,
  'db' | 'events' | 'states' | 'heads' | 'memberships' | 'streams' | 'serverName' | 'outgoing'
>

/** Synchronous, and does not throw: it runs in the order of positions. */
export function publishChanges(deps: PublishDeps, changes: RoomChanges, firstPosition: number): void {
  const lastPosition = firstPosition + positionsOf(changes) - 1
  const members = changes.head?.members ?? { joined: new Set(), invited: new Set(), servers: new Map() }
  rememberEvents(deps, changes, firstPosition)
  const wasShared = members.servers.size > 0
  const membershipChanged = changeMembers(deps, members, changes)
  deps.heads.replace(headOf(changes, { members, firstPosition, lastPosition }))
  deps.streams.roomChanged({
    roomNid: changes.room.roomNid,
    position: lastPosition,
    joined: members.joined,
    membershipChanged,
  })
  if (wasShared || members.servers.size > 0 || mayEndInvitation(changes, deps.serverName)) {
    deps.outgoing.wake()
  }
}

/** A server that nobody in the room is of hears from us of the end of an invitation or a knock. */
function mayEndInvitation({ memberChanges }: RoomChanges, ourName: ServerName): boolean {
  return memberChanges.some(
    ({ userId, membership }) => (membership === 'leave' || membership === 'ban') && serverNameOf(userId) !== ourName,
  )
}

/** What was committed without a position: refused events, and what belongs to the graph only. */
export function rememberEvents(deps: PublishDeps, changes: RoomChanges, firstPosition: number): void {
  for (const drafted of changes.events) {
    for (const state of drafted.newStates) deps.states.remember(state)
    deps.events.remember({ ...drafted.event, position: positionAt(firstPosition, drafted) })
  }
  for (const nid of changes.redactedNids) deps.events.redacted(nid)
}

/** A change that may or may not be on disk: what it touches is read from there again. The caller drops the head. */
export function forgetChanges(deps: PublishDeps, changes: RoomChanges): void {
  for (const nid of changes.redactedNids) deps.events.redacted(nid)
  for (const { userNid } of changes.memberChanges) deps.memberships.changed(userNid)
}

/** @returns whose membership changed */
export function changeMembers(
  deps: Pick<PublishDeps, 'serverName' | 'memberships'>,
  members: RoomMembers,
  changes: Pick<RoomChanges, 'head' | 'memberChanges' | 'namedServers'>,
): readonly number[] {
  for (const [server, joined] of serverCounts(changes, deps.serverName)) {
    if (joined === 0) members.servers.delete(server)
    else members.servers.set(server, joined)
  }
  if (changes.namedServers !== undefined) nameServers(members, changes.namedServers)
  for (const { userNid, membership } of changes.memberChanges) {
    deps.memberships.changed(userNid)
    members.joined.delete(userNid)
    members.invited.delete(userNid)
    if (membership === 'join') members.joined.add(userNid)
    if (membership === 'invite') members.invited.add(userNid)
  }
  return changes.memberChanges.map(({ userNid }) => userNid)
}

function nameServers({ servers }: RoomMembers, named: readonly ServerName[]): void {
  for (const [server, joined] of servers) if (joined === 0) servers.delete(server)
  for (const server of named) if (!servers.has(server)) servers.set(server, 0)
}

function headOf(
  changes: RoomChanges,
  committed: { readonly members: RoomMembers; readonly firstPosition: number; readonly lastPosition: number },
): RoomHead {
  const fresh = new Map(changes.events.map((drafted) => [drafted.event.nid, drafted]))
  const positionOf = (tip: StoredEventRef): number => {
    const drafted = fresh.get(tip.nid)
    if (drafted !== undefined) return positionAt(committed.firstPosition, drafted)
    return 'position' in tip ? (tip.position as number) : NOWHERE
  }
  return {
    roomNid: changes.room.roomNid,
    roomId: changes.roomId,
    version: changes.room.version,
    rules: changes.room.rules,
    state: changes.state,
    extremities: changes.tips.map((tip) => ({ ...tip, position: positionOf(tip) })),
    depth: changes.depth,
    lastPosition: committed.lastPosition,
    stateSince: changes.head?.state.nid === changes.state.nid ? changes.head.stateSince : committed.lastPosition,
    members: committed.members,
  }
}

function positionAt(firstPosition: number, { positionOffset, pastPosition }: DraftEvent): number {
  return positionOffset === undefined ? (pastPosition ?? NOWHERE) : firstPosition + positionOffset
}
