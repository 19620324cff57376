/** Which signatures of a received event count, and what follows from them, without verifying any: that happens elsewhere, in batches. */
import { authorisingServerOf } from '../auth/membership.ts'
import type { ServerName } from '../ids/brand.ts'
import type { RoomRules } from '../room-version/rules.ts'
import { SIGNATURE_ALGORITHMS } from '../signing/sign-json.ts'
import type { ParsedPdu } from '../event/format.ts'
import { requiredSigners } from '../event/sign.ts'
import { POLICY_KEY_ID } from './policy-server.ts'

export type SignatureClaim = {
  readonly server: ServerName
  readonly keyId: string
  /** Base64 as it came. */
  readonly signature: string
}

export type SignatureDemands = {
  /** What every signature covers. */
  readonly text: string
  /** Servers without whose signature the event is dropped. */
  readonly required: readonly ServerName[]
  /** Servers whose signature an authorisation rule asks for: without it the event is rejected, by `checkReceivedPdu`. */
  readonly wanted: readonly ServerName[]
  /** Signatures of these servers, with algorithms that we understand. */
  readonly claims: readonly SignatureClaim[]
}

/** Check 2 on receipt, first half. <https://spec.matrix.org/v1.19/server-server-api/#validating-hashes-and-signatures-on-received-events> */
export function signaturesToCheck(rules: RoomRules, parsed: ParsedPdu): SignatureDemands {
  const { pdu, signable, signatures } = parsed
  const required = requiredSigners(rules, pdu)
  const authorising = authorisingServerOf(rules, pdu)
  const wanted =
    authorising === null || authorising === undefined || required.includes(authorising) ? [] : [authorising]
  const claims = [...required, ...wanted].flatMap((server) => {
    const ofServer = Object.hasOwn(signatures, server) ? signatures[server]! : {}
    return Object.entries(ofServer)
      .filter(([keyId]) => isOfServer(keyId))
      .map(([keyId, signature]) => ({ server, keyId, signature }))
  })
  return { text: signable, required, wanted, claims }
}

/** What a policy server says of an event is no signature of a server: its key is not published. */
function isOfServer(keyId: string): boolean {
  return keyId !== POLICY_KEY_ID && SIGNATURE_ALGORITHMS.includes(keyId.slice(0, keyId.indexOf(':')))
}

/** `unknown-key`: there is no such key, or it was not valid for an event of this time (`isKeyValidForEvent`). */
export type ClaimOutcome = 'holds' | 'does-not-hold' | 'unknown-key'

export type SignaturesVerdict =
  | { readonly ok: true; readonly signedBy: ReadonlySet<ServerName> }
  | {
      readonly ok: false
      readonly problem: 'not-signed' | 'unknown-key' | 'bad-signature'
      readonly server: ServerName
      readonly message: string
    }

/**
 * Second half: each required server has signed with one key that we know at least, and with none wrongly. `signedBy` is for the
 * authorisation rules.
 */
export function judgeSignatures(
  { required, wanted, claims }: SignatureDemands,
  outcomeOf: (claim: SignatureClaim) => ClaimOutcome,
): SignaturesVerdict {
  const signedBy = new Set<ServerName>()
  for (const server of [...required, ...wanted]) {
    const outcomes = claims.filter((claim) => claim.server === server).map(outcomeOf)
    const problem = problemIn(outcomes)
    if (problem === undefined) signedBy.add(server)
    else if (required.includes(server)) return { ok: false, problem, server, message: messageFor(problem, server) }
  }
  return { ok: true, signedBy }
}

type Problem = 'not-signed' | 'unknown-key' | 'bad-signature'

function problemIn(outcomes: readonly ClaimOutcome[]): Problem | undefined {
  if (outcomes.includes('does-not-hold')) return 'bad-signature'
  if (outcomes.includes('holds')) return undefined
  return outcomes.length === 0 ? 'not-signed' : 'unknown-key'
}

function messageFor(problem: Problem, server: ServerName): string {
  if (problem === 'not-signed') return `The event is not signed by ${server}.`
  if (problem === 'unknown-key')
    return `The event is signed with no key of ${server} that is known and valid at its time.`
  return `A signature of ${server} on the event does not hold.`
}
