/** What a server signs when it sends a request to another. <https://spec.matrix.org/v1.19/server-server-api/#request-authentication> */
import { looseCanonicalText } from '../event/text.ts'
import type { ServerName } from '../ids/brand.ts'
import type { JsonValue } from '../json/value.ts'
import { signatureHolds, type SignatureVerdict } from '../signing/sign-json.ts'
import type { SigningKey } from '../signing/signing-key.ts'
import type { VerifyKey } from '../signing/verify-key.ts'
import { buildXMatrix } from './x-matrix.ts'
import type { XMatrix } from './x-matrix.ts'

export type FederationRequest = {
  /** In capitals. */
  readonly method: string
  /** The target as it stands in the request: path and query, before any decoding. */
  readonly uri: string
  readonly origin: ServerName
  /** For what we receive this is our own name, whatever the header says: a signature for another server does not hold here. */
  readonly destination: ServerName
  /** The parsed body, from `parseExactly` if its numbers are not spelt canonically; left out when the request has none. */
  readonly content?: JsonValue | undefined
}

/** The canonical JSON that is signed; undefined when the body has no such form. */
export function requestSignatureText(request: FederationRequest): string | undefined {
  const { method, uri, origin, destination, content } = request
  // A body may carry events of old room versions with fractions. It must not fail for them as a whole, so it is written as they are.
  const body = content === undefined ? '' : looseCanonicalText(content)
  if (body === undefined) return undefined
  const rest = `"destination":${text(destination)},"method":${text(method)},"origin":${text(origin)},"uri":${text(uri)}}`
  return content === undefined ? `{${rest}` : `{"content":${body},${rest}`
}

/** The header for a request of ours. Throws for a body that we must not send. */
export function signRequest(request: FederationRequest, key: SigningKey): string {
  const signable = requestSignatureText(request)
  if (signable === undefined) throw new TypeError('the body of a request has no canonical form')
  const { origin, destination } = request
  return buildXMatrix({ origin, destination, keyId: key.keyId, signature: key.sign(signable) })
}

export type RequestSignatures = {
  /** From `parseXMatrixList`. */
  readonly credentials: readonly Pick<XMatrix, 'keyId' | 'signature'>[]
  /** Answers a key of the origin that is valid now. Old keys sign no requests. */
  readonly keyOf: (keyId: string) => VerifyKey | undefined
}

/** Signatures of unknown keys are skipped, as long as one remains; one of a known key that does not hold spoils the whole. */
export function verifyRequest(request: FederationRequest, { credentials, keyOf }: RequestSignatures): SignatureVerdict {
  if (credentials.length === 0) return { valid: false, problem: 'not-signed' }
  const known = credentials.flatMap(({ keyId, signature }) => {
    const key = keyOf(keyId)
    return key === undefined ? [] : [{ keyId, signature, key }]
  })
  if (known.length === 0) return { valid: false, problem: 'unknown-key' }
  const signable = requestSignatureText(request)
  if (signable === undefined) return { valid: false, problem: 'not-canonical' }
  const bad = known.find(({ key, signature }) => !signatureHolds(key, signable, signature))
  if (bad !== undefined) return { valid: false, problem: 'bad-signature', keyId: bad.keyId }
  return { valid: true, keyIds: known.map(({ keyId }) => keyId) }
}

function text(value: string): string {
  return JSON.stringify(value)
}
