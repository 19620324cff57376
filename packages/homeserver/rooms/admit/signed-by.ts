/** Whether a certain server signed an event, where the event alone does not demand it. */
import type { ParsedPdu } from '@holdfast/protocol/event/format'
import { isKeyValidForEvent } from '@holdfast/protocol/federation/key-validity'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import { signatureHolds } from '@holdfast/protocol/signing/sign-json'
import type { EventSignaturesDeps } from '../../federation/keys/event-signatures.ts'
import { unproven } from './submitted-event.ts'

const SIGNATURES_MAX = 16
const KEYS_MS_MAX = 30_000

/** @throws {MatrixError} M_FORBIDDEN */
export async function assertSignedBy(
  deps: EventSignaturesDeps,
  { pdu, signable, signatures }: ParsedPdu,
  { server, rules }: { readonly server: ServerName; readonly rules: RoomRules },
): Promise<void> {
  const claims = Object.entries(Object.hasOwn(signatures, server) ? signatures[server]! : {}).slice(0, SIGNATURES_MAX)
  const late = new AbortController()
  using _timer = deps.clock.after(KEYS_MS_MAX, () => late.abort())
  const request = {
    server,
    keyIds: claims.map(([keyId]) => keyId),
    validAt: rules.enforcesKeyValidity ? pdu.originServerTs : undefined,
  }
  const keys = (await deps.serverKeys.lookUp([request], { signal: late.signal })).get(server)
  const isSigned = claims.some(([keyId, signature]) => {
    const known = keys?.get(keyId)
    const isValid = known !== undefined && isKeyValidForEvent(known.lifetime, { ...pdu, rules })
    return isValid && signatureHolds(known.key, signable, signature)
  })
  if (!isSigned) throw unproven(`The event is not signed by ${server}.`)
}
