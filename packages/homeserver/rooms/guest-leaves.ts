/** Guests leave a room that no longer admits them, whoever closed it. <https://spec.matrix.org/v1.19/client-server-api/#guest-access> */
import type { UserId } from '@holdfast/protocol/ids/brand'
import { stateMapGet, type StateMap } from '@holdfast/protocol/state/state-map'
import type { Homeserver } from '../homeserver.ts'
import { joinedGuests, roomsWithGuests } from '../storage/memberships.ts'
import { admitsGuests, GUEST_ACCESS } from './guest-access.ts'
import type { NewRoomEvent, RoomDraft } from './room-draft.ts'

/** The departures of all guests who are in the room. */
export async function guestLeaves(
  deps: Pick<Homeserver, 'db' | 'clock'>,
  roomNid: number,
): Promise<readonly NewRoomEvent[]> {
  const guests = await joinedGuests(deps.db.heavy, roomNid)
  return guests.map(({ user_id }) => leaveOf(user_id as UserId, deps.clock.nowMs()))
}

function leaveOf(guest: UserId, originServerTs: number): NewRoomEvent {
  return { type: 'm.room.member', stateKey: guest, sender: guest, content: { membership: 'leave' }, originServerTs }
}

/** Without those who left by themselves meanwhile. */
export function addLeaves(draft: RoomDraft, leaves: readonly NewRoomEvent[]): void {
  for (const leave of leaves) {
    const key = { type: leave.type, stateKey: leave.sender }
    if (draft.stateEvent(key)?.pdu.content['membership'] === 'join') draft.add(leave)
  }
}

type ExpelDeps = Pick<Homeserver, 'db' | 'clock' | 'roomQueue'>

/** Takes the guests out of a room, if it is closed to them. */
async function expelGuests(deps: ExpelDeps, roomNid: number): Promise<void> {
  const leaves = await guestLeaves(deps, roomNid)
  if (leaves.length === 0) return
  await deps.roomQueue.run(roomNid, {
    prepare: () => ({ events: leaves, reads: [GUEST_ACCESS] }),
    decide: (draft) => {
      if (!admitsGuests(draft.stateEvent(GUEST_ACCESS)?.pdu.content)) addLeaves(draft, leaves)
    },
  })
}

/** After other servers changed the state of a room. */
export async function expelGuestsIfClosed(
  deps: ExpelDeps & Pick<Homeserver, 'dictionary'>,
  roomNid: number,
  states: { readonly before: StateMap; readonly after: StateMap },
): Promise<void> {
  const key = await deps.dictionary.stateKeyNid(GUEST_ACCESS)
  if (key === undefined || stateMapGet(states.before, key) === stateMapGet(states.after, key)) return
  await expelGuests(deps, roomNid)
}

/** A crash may have come between the closing of a room and the departures. */
export async function resumeExpelling(deps: ExpelDeps): Promise<void> {
  for (const { room_nid: roomNid } of await roomsWithGuests(deps.db.heavy)) await expelGuests(deps, roomNid)
}
