/** An event with one more signature, beside those that it has. */
import { exactEvent } from '@holdfast/protocol/event/exact-json'
import { parsePdu } from '@holdfast/protocol/event/format'
import { eventText } from '@holdfast/protocol/event/text'
import type { ServerName } from '@holdfast/protocol/ids/brand'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { POLICY_KEY_ID } from '@holdfast/protocol/receipt/policy-server'
import type { RoomRules } from '@holdfast/protocol/room-version/rules'
import { withSignature } from '@holdfast/protocol/signing/sign-json'
import type { IncomingEvent } from '../../rooms/receive/incoming.ts'

/** undefined: with it the event is larger than events may be. */
export function withPolicySignature(
  incoming: IncomingEvent,
  rules: RoomRules,
  { server, signature }: { readonly server: ServerName; readonly signature: string },
): IncomingEvent | undefined {
  return withSignatures(incoming, rules, [{ signer: server, keyId: POLICY_KEY_ID, signature }])
}

/** An event as it came back from somebody who has signed it, too, and who may have left out other signatures. */
export function withSignaturesOf(incoming: IncomingEvent, rules: RoomRules, ours: IncomingEvent): IncomingEvent {
  const all = Object.entries(ours.parsed.signatures).flatMap(([signer, ofSigner]) =>
    Object.entries(ofSigner).map(([keyId, signature]) => ({ signer, keyId, signature })),
  )
  return withSignatures(incoming, rules, all) ?? incoming
}

type Signature = { readonly signer: string; readonly keyId: string; readonly signature: string }

function withSignatures(
  incoming: IncomingEvent,
  rules: RoomRules,
  signatures: readonly Signature[],
): IncomingEvent | undefined {
  const signed = signatures.reduce(withSignature, exactEvent(incoming.parsed.json, rules))
  const text = eventText(signed, rules)
  const parsed = text === undefined ? undefined : parsePdu(JSON.parse(text) as JsonObject, rules, signed)
  return parsed?.ok === true ? { ...incoming, parsed } : undefined
}
