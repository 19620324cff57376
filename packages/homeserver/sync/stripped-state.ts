/** What somebody who is not in a room is shown of it: invited, or knocking. <https://spec.matrix.org/v1.19/client-server-api/#stripped-state> */
import type { UserId } from '@holdfast/protocol/ids/brand'
import type { Homeserver } from '../homeserver.ts'
import { stateEventsAt } from '../rooms/current-state.ts'
import type { StoredEvent } from '../rooms/event-store.ts'
import { stateBefore } from './room-state.ts'

const STRIPPED_TYPES = [
  'm.room.create',
  'm.room.name',
  'm.room.avatar',
  'm.room.topic',
  'm.room.join_rules',
  'm.room.canonical_alias',
  'm.room.encryption',
]

/** The texts of the stripped events, as of the member event that invites or knocks, which comes last. */
export async function strippedState(
  deps: Pick<Homeserver, 'db' | 'states' | 'events' | 'dictionary'>,
  member: StoredEvent,
): Promise<readonly string[]> {
  const before = await stateBefore(deps, member)
  const keys = STRIPPED_TYPES.map((type) => ({ type, stateKey: '' }))
  const inviter: UserId = member.pdu.sender
  const isInvite = member.pdu.stateKey !== inviter
  const wanted = isInvite ? [...keys, { type: 'm.room.member', stateKey: inviter }] : keys
  return [...(await stateEventsAt(deps, before, wanted)), member].map(strippedText)
}

function strippedText({ pdu }: StoredEvent): string {
  const { content, sender, stateKey, type } = pdu
  return JSON.stringify({ content, sender, state_key: stateKey, type })
}
