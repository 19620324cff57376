/** Member events of a room, for lists of people. */
import type { StateMap } from '@holdfast/protocol/state/state-map'
import type { Homeserver } from '../homeserver.ts'
import { usersInRoom, type Membership } from '../storage/memberships.ts'
import { allStateEvents, stateEventsAt } from './current-state.ts'
import type { StoredEvent } from './event-store.ts'
import type { RoomHead } from './room-heads.ts'

type MemberDeps = Pick<Homeserver, 'db' | 'dictionary' | 'events'>

/** The member events of those who sent these events, as in a state. */
export function memberEventsOfSenders(
  deps: MemberDeps,
  state: StateMap,
  events: readonly StoredEvent[],
): Promise<readonly StoredEvent[]> {
  const senders = new Set(events.map(({ pdu }) => pdu.sender))
  return stateEventsAt(
    deps,
    state,
    [...senders].map((stateKey) => ({ type: 'm.room.member', stateKey })),
  )
}

const ALL: readonly Membership[] = ['join', 'invite', 'knock', 'leave', 'ban']

/** The present member events of a room. */
export async function presentMemberEvents(
  deps: MemberDeps,
  head: RoomHead,
  memberships: readonly Membership[] = ALL,
): Promise<readonly StoredEvent[]> {
  const rows = await usersInRoom(deps.db.heavy, { roomNid: head.roomNid, memberships })
  const events = await deps.events.byNids(rows.map(({ event_nid }) => event_nid))
  return rows.map(({ event_nid }) => events.get(event_nid)!)
}

/** The member events of any state. */
export async function memberEventsOf(deps: MemberDeps, state: StateMap): Promise<readonly StoredEvent[]> {
  return (await allStateEvents(deps, state)).filter(({ pdu }) => pdu.type === 'm.room.member')
}
