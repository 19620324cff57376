/** Invitations that an identity service vouches for. <https://spec.matrix.org/v1.19/client-server-api/#third-party-invites> */
import type { Pdu } from '../event/pdu.ts'
import { isCanonicalValue } from '../json/canonical.ts'
import { isObject } from '../json/value.ts'
import type { JsonObject, JsonValue } from '../json/value.ts'
import { signatureHolds, signedText } from '../signing/sign-json.ts'
import { parseVerifyKey } from '../signing/verify-key.ts'
import type { VerifyKey } from '../signing/verify-key.ts'
import { ALLOWED, reject } from './auth-rules.ts'
import type { AuthVerdict } from './auth-rules.ts'
import type { AuthState } from './auth-state.ts'
import { membershipOf, own } from './auth-state.ts'

/** Each signature is tried with each key, and one event has room for hundreds of both: more than these are not looked at. */
const THIRD_PARTY_KEYS_MAX = 16
const THIRD_PARTY_SIGNATURES_MAX = 16

/** The rules below "If content has a third_party_invite property". */
export function checkThirdPartyInvite(event: Pdu, target: string, state: AuthState): AuthVerdict {
  if (membershipOf(state, target) === 'ban') return reject('third-party-invite-banned')
  const signed = signedPart(event.content)
  if (signed === undefined) return reject('third-party-invite-unsigned')
  const mxid = own(signed, 'mxid')
  const token = own(signed, 'token')
  if (mxid === undefined || token === undefined) return reject('third-party-invite-malformed')
  if (mxid !== target) return reject('third-party-invite-for-other-user')
  const invite = typeof token === 'string' ? state.get('m.room.third_party_invite', token) : undefined
  if (invite === undefined) return reject('third-party-invite-unknown')
  if (invite.sender !== event.sender) return reject('third-party-invite-by-other-user')
  return isSignedByAny(signed, publicKeys(invite.content)) ? ALLOWED : reject('third-party-invite-signature')
}

/** `content.third_party_invite.signed`, if there is such an object. */
export function signedPart(content: JsonObject): JsonObject | undefined {
  const invite = own(content, 'third_party_invite')
  const signed = isObject(invite) ? own(invite, 'signed') : undefined
  return isObject(signed) ? signed : undefined
}

function publicKeys(content: JsonObject): VerifyKey[] {
  const listed = own(content, 'public_keys')
  const entries: readonly JsonValue[] = Array.isArray(listed) ? listed.slice(0, THIRD_PARTY_KEYS_MAX) : []
  const texts = [
    own(content, 'public_key'),
    ...entries.map((entry) => (isObject(entry) ? own(entry, 'public_key') : null)),
  ]
  return texts.flatMap((text) => (typeof text === 'string' ? (parseVerifyKey(text) ?? []) : []))
}

function isSignedByAny(signed: JsonObject, keys: readonly VerifyKey[]): boolean {
  if (keys.length === 0 || !isCanonicalValue(signed)) return false
  const text = signedText(signed)
  return signaturesIn(signed).some((signature) => keys.some((key) => signatureHolds(key, text, signature)))
}

function signaturesIn(signed: JsonObject): JsonValue[] {
  const byServer = own(signed, 'signatures')
  if (!isObject(byServer)) return []
  const found = Object.values(byServer).flatMap((byKey) => (isObject(byKey) ? ed25519Signatures(byKey) : []))
  return found.slice(0, THIRD_PARTY_SIGNATURES_MAX)
}

function ed25519Signatures(byKey: JsonObject): JsonValue[] {
  return Object.keys(byKey).flatMap((keyId) => (keyId.startsWith('ed25519:') ? [byKey[keyId]!] : []))
}
