/** Check 7 on receipt, as far as it waits for others: the policy server's signature on events of other servers. <https://spec.matrix.org/v1.19/server-server-api/#validating-policy-server-signatures> */
import { serverNameOf } from '@holdfast/protocol/ids/common'
import { isSignedByPolicyServer, needsPolicySignature } from '@holdfast/protocol/receipt/policy-server'
import type { Homeserver } from '../../homeserver.ts'
import type { AcceptedRoom } from '../../rooms/receive/accept-events.ts'
import type { IncomingEvent } from '../../rooms/receive/incoming.ts'
import { isOutlier, knownEvents } from '../../rooms/receive/known-events.ts'
import type { RoomHead } from '../../rooms/room-heads.ts'
import type { PolicyInUse } from './policy-servers.ts'
import { withPolicySignature } from './with-signature.ts'

export type JudgeDeps = Pick<Homeserver, 'db' | 'heads' | 'policyServers' | 'serverName'>

/** Of one batch; the others are refused, and may be received again. */
const ASKED_MAX = 100
/** Changes of the policy server that are heeded within one batch. */
const PARTS_MAX = 5

type Judging = { readonly head: RoomHead; readonly policy: PolicyInUse; readonly signal: AbortSignal | undefined }

/**
 * The events, in the same order, with the signature of the room's policy server where it gave one, and with a mark where it did
 * not. Only whoever holds the room's inbox may call it, and not within the room's queue.
 */
export async function judgeReceived(
  deps: JudgeDeps,
  { roomNid }: Pick<AcceptedRoom, 'roomNid'>,
  received: { readonly incoming: readonly IncomingEvent[]; readonly signal?: AbortSignal },
): Promise<readonly IncomingEvent[]> {
  const { incoming, signal } = received
  const head = await deps.heads.find(roomNid)
  if (head === undefined || deps.policyServers.peek(head) === undefined) return incoming
  const policy = await deps.policyServers.load(head)
  if (policy === undefined) return incoming
  const ids = incoming.map(({ parsed }) => parsed.pdu.eventId)
  const known = await knownEvents(deps.db, roomNid, ids)
  let asked = 0
  return Promise.all(
    incoming.map(async (one) => {
      const { pdu } = one.parsed
      const here = known.get(pdu.eventId)
      if (here !== undefined && !isOutlier(here)) return one
      if (!needsPolicySignature(pdu) || isSignedByPolicyServer(one.parsed, policy)) return one
      asked += 1
      if (asked > ASKED_MAX || !mayBeOfRoom(deps, head, one)) return refused(one, policy)
      return judge(deps, { head, policy, signal }, one)
    }),
  )
}

/** Whatever others make of it, our policy server is not there to look at events that the room would refuse anyway. */
function mayBeOfRoom({ serverName }: JudgeDeps, { members }: RoomHead, { parsed: { pdu } }: IncomingEvent): boolean {
  const server = serverNameOf(pdu.sender)
  return pdu.type === 'm.room.member' || server === serverName || members.servers.has(server)
}

async function judge(
  deps: JudgeDeps,
  { head: { rules }, policy, signal }: Judging,
  one: IncomingEvent,
): Promise<IncomingEvent> {
  const answer = await deps.policyServers.ask(policy, { rules, event: one.parsed, kind: 'received', signal })
  if (answer.kind !== 'signed') return refused(one, policy)
  // If it does not fit, it counts all the same: it holds.
  return withPolicySignature(one, rules, { server: policy.server, signature: answer.signature }) ?? one
}

function refused(one: IncomingEvent, { policyNid }: PolicyInUse): IncomingEvent {
  return { ...one, refusedUnder: policyNid }
}

/** The events in parts, each of which may end with a change of the policy server. */
export function partsByPolicy(ordered: readonly IncomingEvent[]): readonly (readonly IncomingEvent[])[] {
  const parts: IncomingEvent[][] = [[]]
  for (const one of ordered) {
    parts.at(-1)!.push(one)
    if (!needsPolicySignature(one.parsed.pdu) && parts.length < PARTS_MAX) parts.push([])
  }
  return parts.filter((part) => part.length > 0)
}
