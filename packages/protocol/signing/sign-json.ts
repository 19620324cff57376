/** Signed JSON: adding a signature and checking one. <https://spec.matrix.org/v1.19/appendices/#signing-json> */
import { canonicalJson } from '../json/canonical.ts'
import { emptyObject, isObject, type JsonObject, type JsonValue } from '../json/value.ts'
import { decodeBase64Tolerant } from './base64.ts'
import type { SigningKey } from './signing-key.ts'
import type { VerifyKey } from './verify-key.ts'

/** Signature algorithms this server understands. */
export const SIGNATURE_ALGORITHMS: readonly string[] = ['ed25519']

/** The text that a signature covers: canonical JSON without `signatures` and `unsigned`. Throws for values that have none. */
export function signedText(object: JsonObject): string {
  return canonicalJson(without(object, ['signatures', 'unsigned']))
}

/** A copy of `object` with the signature of `key` in the name of `signer` added. */
export function signJson(
  object: JsonObject,
  { signer, key }: { readonly signer: string; readonly key: SigningKey },
): JsonObject {
  return withSignature(object, { signer, keyId: key.keyId, signature: key.sign(signedText(object)) })
}

/** A copy of `object` with one signature put in; other signatures stay. */
export function withSignature(
  object: JsonObject,
  { signer, keyId, signature }: { readonly signer: string; readonly keyId: string; readonly signature: string },
): JsonObject {
  const signatures = isObject(object['signatures']) ? object['signatures'] : emptyObject()
  const ofSigner = signatures[signer]
  const mine = isObject(ofSigner) ? ofSigner : emptyObject()
  return withMember(object, 'signatures', withMember(signatures, signer, withMember(mine, keyId, signature)))
}

/** Key ids with which `signer` claims to have signed, of algorithms we understand. */
export function signatureKeyIds(object: JsonObject, signer: string): string[] {
  const ofSigner = signaturesOf(object, signer)
  return ofSigner === undefined ? [] : Object.keys(ofSigner).filter((keyId) => isKnownAlgorithm(keyId))
}

export type SignatureVerdict =
  | { readonly valid: true; readonly keyIds: readonly string[] }
  | { readonly valid: false; readonly problem: SignatureProblem; readonly keyId?: string }

export type SignatureProblem = 'not-signed' | 'unknown-key' | 'bad-signature' | 'not-canonical'

/**
 * Whether `signer` signed `object`. `keyOf` answers the key of an id, or undefined when it is unknown or not valid for this use.
 * Signatures of unknown keys are skipped, as long as one remains; one of a known key that does not hold spoils the whole.
 */
export function verifySignedJson(
  object: JsonObject,
  { signer, keyOf }: { readonly signer: string; readonly keyOf: (keyId: string) => VerifyKey | undefined },
): SignatureVerdict {
  const keyIds = signatureKeyIds(object, signer)
  if (keyIds.length === 0) return { valid: false, problem: 'not-signed' }
  const known = keyIds.flatMap((keyId) => {
    const key = keyOf(keyId)
    return key === undefined ? [] : [{ keyId, key }]
  })
  if (known.length === 0) return { valid: false, problem: 'unknown-key' }
  const text = signedTextOrUndefined(object)
  if (text === undefined) return { valid: false, problem: 'not-canonical' }
  const signatures = signaturesOf(object, signer) as JsonObject
  const bad = known.find(({ keyId, key }) => !signatureHolds(key, text, signatures[keyId] as JsonValue))
  if (bad !== undefined) return { valid: false, problem: 'bad-signature', keyId: bad.keyId }
  return { valid: true, keyIds: known.map(({ keyId }) => keyId) }
}

/** Whether the base64 `signature` by `key` holds for `text`. */
export function signatureHolds(key: VerifyKey, text: Uint8Array | string, signature: JsonValue): boolean {
  const bytes = typeof signature === 'string' ? decodeBase64Tolerant(signature) : undefined
  return bytes !== undefined && key.verify(text, bytes)
}

function isKnownAlgorithm(keyId: string): boolean {
  return SIGNATURE_ALGORITHMS.includes(keyId.slice(0, keyId.indexOf(':')))
}

function signaturesOf(object: JsonObject, signer: string): JsonObject | undefined {
  const signatures = object['signatures']
  if (!isObject(signatures) || !Object.hasOwn(signatures, signer)) return undefined
  const ofSigner = signatures[signer]
  return isObject(ofSigner) ? ofSigner : undefined
}

function signedTextOrUndefined(object: JsonObject): string | undefined {
  try {
    return signedText(object)
  } catch {
    return undefined
  }
}

function without(object: JsonObject, dropped: readonly string[]): JsonObject {
  const copy = emptyObject()
  for (const key of Object.keys(object)) if (!dropped.includes(key)) copy[key] = object[key] as JsonValue
  return copy
}

function withMember(object: JsonObject, key: string, value: JsonValue): JsonObject {
  const copy = emptyObject()
  for (const own of Object.keys(object)) copy[own] = object[own] as JsonValue
  copy[key] = value
  return copy
}
