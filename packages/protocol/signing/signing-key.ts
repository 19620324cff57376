/** A server's own Ed25519 key. Its secret stays in a closure, so that printing the key shows nothing of it. */
import { createPrivateKey, createPublicKey, sign } from 'node:crypto'
import { encodeBase64 } from './base64.ts'
import { toBytes } from './verify-key.ts'

export const SEED_BYTES = 32

// The DER prefix of a PrivateKeyInfo with an Ed25519 seed. <https://www.rfc-editor.org/rfc/rfc8410#section-7>
const PKCS8_PREFIX = Uint8Array.fromHex('302e020100300506032b657004220420')

const KEY_ID = /^ed25519:[A-Za-z0-9_]{1,128}$/

export type SigningKey = {
  /** Algorithm and version, such as `ed25519:a_1`. */
  readonly keyId: string
  /** Unpadded base64. */
  readonly publicKey: string
  /** The signature in unpadded base64; a string is signed as UTF-8. */
  readonly sign: (message: Uint8Array | string) => string
}

/** Throws a TypeError when the id or the seed has a wrong form: both come from our own storage. */
export function createSigningKey({ keyId, seed }: { keyId: string; seed: Uint8Array }): SigningKey {
  if (!KEY_ID.test(keyId)) throw new TypeError('a signing key id is ed25519: and a version of letters, digits and _')
  if (seed.length !== SEED_BYTES) throw new TypeError(`the seed of a signing key is ${SEED_BYTES} bytes`)
  const der = Buffer.concat([PKCS8_PREFIX, seed])
  const secret = createPrivateKey({ key: der, format: 'der', type: 'pkcs8' })
  der.fill(0)
  const spki = createPublicKey(secret).export({ format: 'der', type: 'spki' })
  return Object.freeze({
    keyId,
    publicKey: encodeBase64(spki.subarray(-SEED_BYTES)),
    sign: (message: Uint8Array | string) => encodeBase64(sign(null, toBytes(message), secret)),
  })
}
