/** Takes a submitted member event into the room, and answers for it towards the other servers. */
import { matrixError } from '@holdfast/protocol/errors'
import { judgeReceived, type JudgeDeps } from '../../federation/policy/judge-received.ts'
import type { Homeserver } from '../../homeserver.ts'
import { HIDDEN_FLAGS } from '../../storage/events.ts'
import type { StoredEvent } from '../event-store.ts'
import { acceptEvents, type AcceptDeps, type AcceptedRoom } from '../receive/accept-events.ts'
import type { Acceptance, IncomingEvent } from '../receive/incoming.ts'

/**
 * Only whoever holds the room's inbox may call it. An event that is here already is answered like a new one.
 * @throws {MatrixError} M_FORBIDDEN, M_INVALID_PARAM
 */
export async function admitMember(
  deps: AcceptDeps & JudgeDeps & Pick<Homeserver, 'events'>,
  room: AcceptedRoom,
  submitted: IncomingEvent,
): Promise<StoredEvent> {
  const [incoming = submitted] = await judgeReceived(deps, room, { incoming: [submitted] })
  const [acceptance] = await acceptEvents(deps, room, { arrivals: [{ incoming, isOurs: true }], time: 'present' })
  const event = await deps.events.byNid(nidOf(acceptance!))
  if (event === undefined) throw new Error('an event that was accepted is missing')
  if ((event.flags & HIDDEN_FLAGS) !== 0) throw matrixError('M_FORBIDDEN', 'The event was refused before.')
  return event
}

function nidOf(acceptance: Acceptance): number {
  switch (acceptance.outcome) {
    case 'accepted':
    case 'known':
      return acceptance.nid
    case 'missing':
      throw matrixError('M_INVALID_PARAM', 'The event builds on events that are not here. Ask for a new template.')
    case 'soft-failed':
    case 'rejected':
      throw matrixError('M_FORBIDDEN', acceptance.message)
    default:
      return acceptance satisfies never
  }
}
