/** Signatures of events checked on the thread pool. */
import type { VerifyPool } from '@holdfast/platform/crypto/verify-pool'
import { decodeBase64Tolerant } from '@holdfast/protocol/signing/base64'
import type { VerifySignatures } from '../keys/event-signatures.ts'
import { verifyMany } from './verify-many.ts'

export function verifyElsewhere(pool: VerifyPool): VerifySignatures {
  return (checks) =>
    verifyMany(
      pool,
      checks.map(({ key, text, signature }) => ({
        key,
        message: text,
        // What is no base64 is no signature, and an empty one never holds.
        signature: decodeBase64Tolerant(signature) ?? new Uint8Array(0),
      })),
    )
}
