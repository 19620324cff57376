/** Keys whose secret half the world can know. */
import type { VerifyKey } from '../signing/verify-key.ts'

/** Unpadded base64 of public keys. */
const WEAK_KEYS: ReadonlySet<string> = new Set([
  // A deployment tool gave the same secret to many servers. <https://nvd.nist.gov/vuln/detail/CVE-2026-24044>
  'l/O9hxMVKB6Lg+3Hqf0FQQZhVESQcMzbPN1Cz2nM3og',
])

/** Whether anybody could have signed with it. `publicKey` has one spelling per key, so no other spelling of it gets through. */
export function isWeakKey({ publicKey }: Pick<VerifyKey, 'publicKey'>): boolean {
  return WEAK_KEYS.has(publicKey)
}
