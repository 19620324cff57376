/** What rooms that nobody here is in tell the users who are invited or knock: that it is over. */
import type { EventId, ServerName } from '@holdfast/protocol/ids/brand'
import { parseUserId } from '@holdfast/protocol/ids/user-id'
import { serverNameOf } from '@holdfast/protocol/ids/common'
import type { Pdu } from '@holdfast/protocol/event/pdu'
import type { Homeserver } from '../../homeserver.ts'
import type { EventSignaturesDeps } from '../../federation/keys/event-signatures.ts'
import { setOutsideMembership, type OutsideDeps } from '../remote/outside-room.ts'
import { isResident, type RoomHead } from '../room-heads.ts'
import { checkIncoming, type ReceivedValue } from './check-incoming.ts'
import type { PduResult } from './receive-pdus.ts'

export type ReceiveOutsideDeps = OutsideDeps & EventSignaturesDeps & Pick<Homeserver, 'serverName' | 'inboxes'>

/**
 * Takes the events by which invitations and knocks of users here end. Whether their sender may do that cannot be known from
 * outside; that the invitation came from the same server is what speaks for it.
 */
export async function receiveOutside(
  deps: ReceiveOutsideDeps,
  { origin, head }: { readonly origin: ServerName; readonly head: RoomHead },
  values: readonly ReceivedValue[],
): Promise<ReadonlyMap<EventId, PduResult>> {
  return deps.inboxes.run(head.roomId, async () => {
    const { incoming, problems } = await checkIncoming(deps, head, { values })
    const results = new Map<EventId, PduResult>()
    for (const [eventId, error] of problems) results.set(eventId, { error })
    const now = await deps.heads.byNid(head.roomNid)
    for (const one of incoming) {
      // Somebody here may have joined while this waited; then the room itself tells what became of the others.
      if (isResident(now)) {
        results.set(one.parsed.pdu.eventId, {
          error: 'Somebody of this server joined meanwhile. Send the event again.',
        })
        continue
      }
      const { pdu } = one.parsed
      const membership = endingMembership(pdu)
      const userId = pdu.stateKey === undefined ? undefined : parseUserId(pdu.stateKey)
      if (membership === undefined || userId === undefined || !(await isTurnedAway(deps, { head, pdu, origin }))) {
        results.set(pdu.eventId, { error: 'Nobody of this server is in the room.' })
        continue
      }
      await setOutsideMembership(deps, head, { userId, membership, incoming: one })
      results.set(pdu.eventId, {})
    }
    return results
  })
}

function endingMembership(pdu: Pdu): 'leave' | 'ban' | undefined {
  const membership = pdu.type === 'm.room.member' ? pdu.content['membership'] : undefined
  return membership === 'leave' || membership === 'ban' ? membership : undefined
}

/** Whether the user here waits, the event answers just that, and an invitation came from the server that takes it back. */
async function isTurnedAway(
  deps: ReceiveOutsideDeps,
  { head, pdu, origin }: { readonly head: RoomHead; readonly pdu: Pdu; readonly origin: ServerName },
): Promise<boolean> {
  const userId = parseUserId(pdu.stateKey ?? '')
  if (userId === undefined || serverNameOf(userId) !== deps.serverName || serverNameOf(pdu.sender) !== origin)
    return false
  const userNid = await deps.dictionary.userNid(userId)
  const waiting = userNid === undefined ? undefined : (await deps.memberships.of(userNid)).get(head.roomNid)
  if (waiting === undefined) return false
  const answered = await deps.events.byNid(waiting.eventNid)
  if (answered === undefined || !pdu.authEvents.includes(answered.pdu.eventId)) return false
  if (waiting.membership === 'knock') return true
  return waiting.membership === 'invite' && serverNameOf(answered.pdu.sender) === origin
}
