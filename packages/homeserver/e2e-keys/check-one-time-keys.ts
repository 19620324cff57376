/** One-time keys and fallback keys as they are uploaded. <https://spec.matrix.org/v1.19/client-server-api/#one-time-and-fallback-keys> */
import { matrixError } from '@holdfast/protocol/errors'
import type { JsonObject } from '@holdfast/protocol/json/value'
import { canonicalText } from './check-device-keys.ts'
import { E2E_LIMITS } from './limits.ts'

export type UploadedKey = {
  readonly algorithm: string
  readonly keyId: string
  /** Canonical JSON. */
  readonly text: string
}

/** An algorithm and an id, in characters that stand on paper. */
const KEY_NAME = /^([\x21-\x39\x3b-\x7e]+):([\x21-\x7e]+)$/

/** @throws {MatrixError} for names and keys that no device makes */
export function checkKeys(uploaded: JsonObject): readonly UploadedKey[] {
  return Object.entries(uploaded).map(([name, key]) => {
    const match = name.length <= E2E_LIMITS.keyNameCharactersMax ? KEY_NAME.exec(name) : null
    if (match === null) {
      throw matrixError('M_INVALID_PARAM', 'The name of a key is made of an algorithm, a colon and an id.')
    }
    const text = canonicalText(key, 'A key', E2E_LIMITS.oneTimeKeyBytesMax)
    return { algorithm: match[1]!, keyId: match[2]!, text }
  })
}

/** @throws {MatrixError} M_INVALID_PARAM where an algorithm has two */
export function checkFallbackKeys(uploaded: JsonObject): readonly UploadedKey[] {
  const keys = checkKeys(uploaded)
  if (new Set(keys.map(({ algorithm }) => algorithm)).size === keys.length) return keys
  throw matrixError('M_INVALID_PARAM', 'There is one fallback key for each algorithm.')
}

export function keyName({ algorithm, keyId }: Pick<UploadedKey, 'algorithm' | 'keyId'>): string {
  return `${algorithm}:${keyId}`
}
