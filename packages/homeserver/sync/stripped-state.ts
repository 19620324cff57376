/** What somebody who is not in a room is shown of it: invited, or knocking. <https://spec.matrix.org/v1.19/client-server-api/#stripped-state> */
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../homeserver.ts'
import { stateEventsAt } from '../rooms/current-state.ts'
import type { StoredEvent } from '../rooms/event-store.ts'
import { STRIPPED_TYPES } from '../rooms/remote/stripped.ts'
import { EVENT_FLAGS } from '../storage/events.ts'
import { strippedStateOf } from '../storage/federation-rooms.ts'
import { stateBefore } from './room-state.ts'

/** The texts of the stripped events, as of the member event that invites or knocks, which comes last. */
export async function strippedState(
  deps: Pick<Homeserver, 'db' | 'states' | 'events' | 'dictionary'>,
  member: StoredEvent,
): Promise<readonly string[]> {
  if ((member.flags & EVENT_FLAGS.outlier) !== 0) return toldState(deps, member)
  const before = await stateBefore(deps, member)
  const keys = STRIPPED_TYPES.map((type) => ({ type, stateKey: '' }))
  const inviter: UserId = member.pdu.sender
  const isInvite = member.pdu.stateKey !== inviter
  const wanted = isInvite ? [...keys, { type: 'm.room.member', stateKey: inviter }] : keys
  return [...(await stateEventsAt(deps, before, wanted)), member].map(strippedText)
}

/** Of a room that nobody here is in: what the server told that invited us, or let us knock. */
async function toldState(deps: Pick<Homeserver, 'db' | 'dictionary'>, member: StoredEvent): Promise<readonly string[]> {
  const { roomNid, pdu } = member
  const userNid = await deps.dictionary.userNid(pdu.stateKey as UserId)
  const row = userNid === undefined ? undefined : await strippedStateOf(deps.db, { roomNid, userNid })
  const told = row === undefined ? [] : (JSON.parse(row.stripped) as readonly object[])
  return [...told.map((event) => JSON.stringify(event)), strippedText(member)]
}

function strippedText({ pdu }: StoredEvent): string {
  const { content, sender, stateKey, type } = pdu
  return JSON.stringify({ content, sender, state_key: stateKey, type })
}
