/** An event of our own gets the policy server's signature before anybody hears of it. <https://spec.matrix.org/v1.19/server-server-api/#asking-for-a-policy-server-signature-on-an-event> */
import { matrixError } from '@holdfast/protocol/errors'
import type { Pdu } from '@holdfast/protocol/event/pdu'
import { needsPolicySignature } from '@holdfast/protocol/receipt/policy-server'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import type { Homeserver } from '../../homeserver.ts'
import type { IncomingEvent } from '../../rooms/receive/incoming.ts'
import type { RoomHead } from '../../rooms/room-heads.ts'
import type { PolicyInUse } from './policy-servers.ts'
import { refusalOf } from './refusal.ts'
import { withPolicySignature } from './with-signature.ts'

type SignDeps = Pick<Homeserver, 'policyServers'>

/**
 * The event as it is to be sent in this room; the same one if the room uses no policy server.
 * @throws {MatrixError} M_FORBIDDEN, M_LIMIT_EXCEEDED by the policy server, M_TOO_LARGE
 */
export async function policySigned(deps: SignDeps, head: RoomHead, own: IncomingEvent): Promise<IncomingEvent> {
  const policy = await deps.policyServers.load(head)
  return policy === undefined ? own : signedUnder(deps, { policy, rules: head.rules }, own)
}

/** @throws as `policySigned` */
export async function signedUnder(
  deps: SignDeps,
  { policy, rules }: { readonly policy: PolicyInUse; readonly rules: RoomRules },
  own: IncomingEvent,
): Promise<IncomingEvent> {
  const { pdu } = own.parsed
  if (!needsPolicySignature(pdu)) return own
  const answer = await deps.policyServers.ask(policy, { rules, event: own.parsed, kind: 'sent' })
  if (answer.kind !== 'signed') {
    if (isOwnLeave(pdu)) return own
    throw refusalOf(answer, policy)
  }
  const signed = withPolicySignature(own, rules, { server: policy.server, signature: answer.signature })
  if (signed !== undefined) return signed
  throw matrixError('M_TOO_LARGE', 'With the signature of the policy server the event is larger than 65,536 bytes.')
}

/** Nobody is held in a room by a third party. */
function isOwnLeave({ type, stateKey, sender, content }: Pdu): boolean {
  return type === 'm.room.member' && stateKey === sender && content['membership'] === 'leave'
}
