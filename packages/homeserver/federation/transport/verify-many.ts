/** Signatures of many events at once, by the same rules as one alone. */
import type { SignatureCheck, VerifyPool } from '@holdfast/platform/crypto/verify-pool'
import { decodeBase64 } from '@holdfast/protocol/signing/base64'
import { isSoundPoint, POINT_BYTES } from '@holdfast/protocol/signing/points'
import { SIGNATURE_BYTES, toBytes, type VerifyKey } from '@holdfast/protocol/signing/verify-key'

export type KeyCheck = {
  readonly key: VerifyKey
  readonly message: Uint8Array | string
  readonly signature: Uint8Array
}

/** As `key.verify(message, signature)` for each; large batches leave the event loop free. */
export async function verifyMany(pool: VerifyPool, checks: readonly KeyCheck[]): Promise<readonly boolean[]> {
  const sound = checks.map(isSound)
  const held = await pool.verify(checks.filter((_, index) => sound[index]).map(asBytes))
  const next = held.values()
  return sound.map((one) => one && next.next().value === true)
}

/** What OpenSSL does with an R of small order depends on its version; `VerifyKey` refuses it, and so do we. */
function isSound({ signature }: KeyCheck): boolean {
  return signature.length === SIGNATURE_BYTES && isSoundPoint(signature.subarray(0, POINT_BYTES))
}

function asBytes({ key, message, signature }: KeyCheck): SignatureCheck {
  return { publicKey: decodeBase64(key.publicKey) ?? new Uint8Array(0), message: toBytes(message), signature }
}
