/** The policy server of a room: who it is, what it must have signed, and what its answer adds. <https://spec.matrix.org/v1.19/server-server-api/#policy-servers> */
import type { AuthState } from '../auth/auth-state.ts'
import { own } from '../auth/auth-state.ts'
import type { ParsedPdu } from '../event/format.ts'
import type { Pdu } from '../event/pdu.ts'
import type { ServerName } from '../ids/brand.ts'
import { parseServerName } from '../ids/server-name.ts'
import { isObject, type JsonValue } from '../json/value.ts'
import { signatureHolds } from '../signing/sign-json.ts'
import { parseVerifyKey, type VerifyKey } from '../signing/verify-key.ts'

/** Whatever the policy server calls its key, on events it has this id. */
export const POLICY_KEY_ID = 'ed25519:policy_server'

export type PolicyServer = {
  readonly server: ServerName
  /** undefined: the room names something that is no key, so that nothing is ever signed with it. */
  readonly key: VerifyKey | undefined
}

/** The policy server that the room uses now, if any: it must have a member in the room. */
export function policyServerOf(
  currentState: AuthState,
  hasJoinedUser: (server: ServerName) => boolean,
): PolicyServer | undefined {
  const content = currentState.get('m.room.policy', '')?.content
  if (content === undefined) return undefined
  const via = own(content, 'via')
  const keys = own(content, 'public_keys')
  const publicKey = isObject(keys) ? own(keys, 'ed25519') : undefined
  const server = typeof via === 'string' ? parseServerName(via) : undefined
  if (server === undefined || typeof publicKey !== 'string' || !hasJoinedUser(server)) return undefined
  return { server, key: parseVerifyKey(publicKey) }
}

/** The event that sets the policy server needs no leave of it: the room can always get rid of it. */
export function needsPolicySignature({ type, stateKey }: Pick<Pdu, 'type' | 'stateKey'>): boolean {
  return type !== 'm.room.policy' || stateKey !== ''
}

export function isSignedByPolicyServer(
  { signable, signatures }: Pick<ParsedPdu, 'signable' | 'signatures'>,
  { server, key }: PolicyServer,
): boolean {
  const ofServer = Object.hasOwn(signatures, server) ? signatures[server]! : {}
  const signature = Object.hasOwn(ofServer, POLICY_KEY_ID) ? ofServer[POLICY_KEY_ID] : undefined
  return key !== undefined && signature !== undefined && signatureHolds(key, signable, signature)
}

/**
 * The signature in the policy server's answer, to be added to the event with `withSignature`; undefined if it does not hold.
 * Nothing else of the answer is taken, so that it cannot replace a signature that the event has.
 */
export function policySignatureIn(
  answer: JsonValue,
  { server, key }: PolicyServer,
  { signable }: Pick<ParsedPdu, 'signable'>,
): string | undefined {
  const ofServer = isObject(answer) ? own(answer, server) : undefined
  const signature = isObject(ofServer) ? own(ofServer, POLICY_KEY_ID) : undefined
  if (key === undefined || typeof signature !== 'string') return undefined
  return signatureHolds(key, signable, signature) ? signature : undefined
}
