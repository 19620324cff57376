/** After a commit: what is in memory follows what is on disk, and those who wait are woken. */
import type { Homeserver } from '../homeserver.ts'
import { membershipChanges } from './commit-draft.ts'
import type { Prefetched } from './prefetch.ts'
import type { RoomDraft } from './room-draft.ts'
import type { RoomHead, RoomMembers } from './room-heads.ts'

export type PublishDeps = Pick<Homeserver, 'events' | 'states' | 'heads' | 'memberships' | 'streams'>

/** Synchronous, and does not throw: it runs in the order of positions. */
export function publishDraft(
  deps: PublishDeps,
  draft: RoomDraft,
  committed: { readonly prefetched: Prefetched; readonly firstPosition: number },
): void {
  const lastPosition = committed.firstPosition + draft.events.length - 1
  const members = draft.head?.members ?? { joined: new Set<number>(), invited: new Set<number>() }
  for (const { event, positionOffset, state, changesState } of draft.events) {
    deps.events.remember({ ...event, position: committed.firstPosition + positionOffset })
    if (changesState) deps.states.remember(state)
  }
  for (const nid of draft.redactedNids) deps.events.redacted(nid)
  const membershipChanged = changeMembers(deps, members, draft, committed.prefetched)
  deps.heads.replace(headOf(draft, members, lastPosition))
  deps.streams.roomChanged({
    roomNid: draft.room.roomNid,
    position: lastPosition,
    joined: members.joined,
    membershipChanged,
  })
}

/** A draft that may or may not be on disk: what it touches is read from there again. The caller drops the head. */
export function forgetDraft(deps: PublishDeps, draft: RoomDraft, prefetched: Prefetched): void {
  for (const nid of draft.redactedNids) deps.events.redacted(nid)
  for (const { userNid } of membershipChanges(draft, prefetched)) deps.memberships.changed(userNid)
}

/** @returns whose membership changed */
function changeMembers(
  deps: PublishDeps,
  members: RoomMembers,
  draft: RoomDraft,
  prefetched: Prefetched,
): readonly number[] {
  const changes = membershipChanges(draft, prefetched)
  for (const { userNid, membership } of changes) {
    deps.memberships.changed(userNid)
    members.joined.delete(userNid)
    members.invited.delete(userNid)
    if (membership === 'join') members.joined.add(userNid)
    if (membership === 'invite') members.invited.add(userNid)
  }
  return changes.map(({ userNid }) => userNid)
}

function headOf(draft: RoomDraft, members: RoomMembers, lastPosition: number): RoomHead {
  return {
    roomNid: draft.room.roomNid,
    roomId: draft.roomId,
    version: draft.room.version,
    rules: draft.room.rules,
    state: draft.state,
    // A draft with events has one tip, the last of them.
    extremities: draft.tips.map((tip) => ({ ...tip, position: lastPosition })),
    depth: draft.depth,
    lastPosition,
    members,
  }
}
