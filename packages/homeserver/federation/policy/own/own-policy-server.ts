/** This server as the policy server of rooms: which events it signs, and with what. <https://spec.matrix.org/v1.19/server-server-api/#policy-servers> */
import type { Clock } from '@holdfast/platform/clock/clock'
import type { Random } from '@holdfast/platform/random/random'
import { matrixError } from '@holdfast/protocol/errors'
import type { ParsedPdu } from '@holdfast/protocol/event/format'
import type { Pdu } from '@holdfast/protocol/event/pdu'
import type { RoomId } from '@holdfast/protocol/ids/brand'
import { needsPolicySignature, POLICY_KEY_ID } from '@holdfast/protocol/receipt/policy-server'
import { createSigningKey, SEED_BYTES, type SigningKey } from '@holdfast/protocol/signing/signing-key'
import type { Homeserver } from '../../../homeserver.ts'
import * as storage from '../../../storage/server-identity.ts'
import { openPolicyLists, type PolicyListsDeps } from './policy-lists.ts'

export type OwnPolicyServer = {
  /** Unpadded base64, for `public_keys.ed25519` of m.room.policy. */
  readonly publicKey: string
  /**
   * The signature on an event whose origin is proven, for a room that uses this policy server.
   * @throws {MatrixError} M_FORBIDDEN (400, as the specification has it), M_LIMIT_EXCEEDED
   */
  sign(event: ParsedPdu): Promise<string>
}

export type OwnPolicyDeps = PolicyListsDeps &
  Pick<Homeserver, 'rateLimiter'> & { readonly random: Random; readonly clock: Pick<Clock, 'nowMs'> }

/** The key is its own, so that a room can be rid of it while the server goes on, and the other way round. */
export async function openOwnPolicyServer(
  deps: OwnPolicyDeps,
  { lists: rooms }: { readonly lists: readonly RoomId[] },
): Promise<OwnPolicyServer> {
  const key = await loadKey(deps)
  const lists = openPolicyLists(deps, rooms)
  return {
    publicKey: key.publicKey,
    sign: async (event) => {
      const { pdu } = event
      if (!needsPolicySignature(pdu)) throw refused('An event that sets the policy server needs no signature of it.')
      // What we judged would not be what the others get to see.
      if (!event.hashMatches) throw refused('The content of the event does not fit its hash.')
      if (!isOwnLeave(pdu)) {
        if (await lists.bans(pdu.sender)) throw refused(`A policy list that this server follows bans ${pdu.sender}.`)
        deps.rateLimiter.take({ limit: 'policy_signature', key: `${pdu.roomId} ${pdu.sender}` })
      }
      return key.sign(event.signable)
    },
  }
}

async function loadKey({ db, random, clock }: OwnPolicyDeps): Promise<SigningKey> {
  const fresh = { seed: random.bytes(SEED_BYTES), createdMs: clock.nowMs() }
  const stored = await storage.policyKeySeed(db)
  if (stored === undefined) await db.commit([storage.insertPolicyKey(fresh)])
  return createSigningKey({ keyId: POLICY_KEY_ID, seed: stored ?? fresh.seed })
}

/** Nobody is held in a room. */
function isOwnLeave({ type, stateKey, sender, content }: Pdu): boolean {
  return type === 'm.room.member' && stateKey === sender && content['membership'] === 'leave'
}

function refused(why: string) {
  return matrixError('M_FORBIDDEN', why, { status: 400 })
}
