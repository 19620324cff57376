/** Public Ed25519 keys of servers, devices and users, and the check of a signature. */
import { createPublicKey, type KeyObject, verify } from 'node:crypto'
import { decodeBase64Tolerant, encodeBase64 } from './base64.ts'
import { isSoundPoint, POINT_BYTES } from './points.ts'

export const SIGNATURE_BYTES = 64

// The DER prefix of a SubjectPublicKeyInfo with an Ed25519 key. <https://www.rfc-editor.org/rfc/rfc8410#section-4>
const SPKI_PREFIX = Uint8Array.fromHex('302a300506032b6570032100')

export type VerifyKey = {
  /** Strict unpadded base64, whatever the spelling it came in: the one to compare and to store. */
  readonly publicKey: string
  /** Whether `signature` (64 bytes) by this key holds for `message`. */
  readonly verify: (message: Uint8Array | string, signature: Uint8Array) => boolean
}

/** The key of 32 base64 bytes; undefined when they are no canonical point or one of small order. */
export function parseVerifyKey(publicKey: string): VerifyKey | undefined {
  const bytes = decodeBase64Tolerant(publicKey)
  return bytes === undefined ? undefined : verifyKeyFromBytes(bytes)
}

export function verifyKeyFromBytes(bytes: Uint8Array): VerifyKey | undefined {
  if (bytes.length !== POINT_BYTES || !isSoundPoint(bytes)) return undefined
  const key = importPublicKey(bytes)
  if (key === undefined) return undefined
  return { publicKey: encodeBase64(bytes), verify: (message, signature) => holds(key, message, signature) }
}

function importPublicKey(bytes: Uint8Array): KeyObject | undefined {
  try {
    return createPublicKey({ key: Buffer.concat([SPKI_PREFIX, bytes]), format: 'der', type: 'spki' })
  } catch {
    return undefined
  }
}

/** OpenSSL refuses a scalar of the group order or more by itself. What it does with an R of small order depends on its version. */
function holds(key: KeyObject, message: Uint8Array | string, signature: Uint8Array): boolean {
  if (signature.length !== SIGNATURE_BYTES || !isSoundPoint(signature.subarray(0, POINT_BYTES))) return false
  return verify(null, toBytes(message), key, signature)
}

export function toBytes(message: Uint8Array | string): Uint8Array {
  return typeof message === 'string' ? Buffer.from(message, 'utf8') : message
}
