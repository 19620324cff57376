/** Signatures on events cover what redaction keeps. <https://spec.matrix.org/v1.19/server-server-api/#signing-events> */
import type { ServerName } from '../ids/brand.ts'
import { serverNameOf } from '../ids/common.ts'
import { canonicalJson } from '../json/canonical.ts'
import { isObject } from '../json/value.ts'
import type { JsonObject } from '../json/value.ts'
import type { RoomRules } from '../room-version/rules.ts'
import { signatureHolds, signatureKeyIds, withSignature } from '../signing/sign-json.ts'
import type { SignatureVerdict } from '../signing/sign-json.ts'
import type { SigningKey } from '../signing/signing-key.ts'
import type { VerifyKey } from '../signing/verify-key.ts'
import type { BuiltEvent } from './build.ts'
import { exactEvent } from './exact-json.ts'
import { signableText } from './hash.ts'
import type { Pdu } from './pdu.ts'
import { eventText } from './text.ts'

/** The complete event with our signature, in canonical JSON. Signatures that it has stay. */
export function signEventJson(json: string, rules: RoomRules, serverName: ServerName, key: SigningKey): string {
  const event = exactEvent(json, rules)
  const signature = key.sign(signableText(event, rules))
  const signed = withSignature(event, { signer: serverName, keyId: key.keyId, signature })
  return eventText(signed, rules) ?? canonicalJson(signed)
}

/** As `signEventJson`, for an event as it was just built, without parsing it again. */
export function signBuiltEvent(built: BuiltEvent, serverName: ServerName, key: SigningKey): string {
  const signatures = canonicalJson({ [serverName]: { [key.keyId]: key.sign(built.signable) } })
  const { json, signaturesAt: at } = built
  return `${json.slice(0, at)}"signatures":${signatures},${json.slice(at)}`
}

type Signer = { readonly signer: string; readonly keyOf: (keyId: string) => VerifyKey | undefined }

/**
 * Whether `signer` signed the event. `keyOf` answers a key only if it was valid for this event; signatures of other keys are
 * skipped, as long as one remains.
 */
export function verifyEventSignature(event: JsonObject, rules: RoomRules, { signer, keyOf }: Signer): SignatureVerdict {
  const keyIds = signatureKeyIds(event, signer)
  if (keyIds.length === 0) return { valid: false, problem: 'not-signed' }
  const known = keyIds.flatMap((keyId) => {
    const key = keyOf(keyId)
    return key === undefined ? [] : [{ keyId, key }]
  })
  if (known.length === 0) return { valid: false, problem: 'unknown-key' }
  const text = signableText(event, rules)
  const bad = known.find(({ keyId, key }) => !holds(event, { signer, keyId, key, text }))
  if (bad !== undefined) return { valid: false, problem: 'bad-signature', keyId: bad.keyId }
  return { valid: true, keyIds: known.map(({ keyId }) => keyId) }
}

type Claim = { readonly signer: string; readonly keyId: string; readonly key: VerifyKey; readonly text: string }

function holds(event: JsonObject, { signer, keyId, key, text }: Claim): boolean {
  const { signatures } = event
  const ofSigner = isObject(signatures) ? signatures[signer] : undefined
  const signature = isObject(ofSigner) ? ofSigner[keyId] : undefined
  return signature !== undefined && signatureHolds(key, text, signature)
}

/**
 * The servers without whose signature an event is dropped. A further one may be demanded by the authorisation rules, which
 * reject (see `authorisingServerOf`).
 */
export function requiredSigners(rules: RoomRules, event: Pdu): ServerName[] {
  const signers = new Set<ServerName>()
  if (!isThirdPartyInvite(event)) signers.add(serverNameOf(event.sender))
  if (rules.eventIdServerSigns) signers.add(event.eventId.slice(event.eventId.indexOf(':') + 1) as ServerName)
  return [...signers]
}

/** Such an invitation may be sent by another server than the inviter's. */
function isThirdPartyInvite({ type, content }: Pdu): boolean {
  return type === 'm.room.member' && content['membership'] === 'invite' && Object.hasOwn(content, 'third_party_invite')
}
