/** What a device says of its own identity. <https://spec.matrix.org/v1.19/client-server-api/#device-keys> */
import { matrixError } from '@holdfast/protocol/errors'
import { canonicalJson, isCanonicalValue } from '@holdfast/protocol/json/canonical'
import { emptyObject, isObject, type JsonObject, type JsonValue } from '@holdfast/protocol/json/value'
import { verifySignedJson } from '@holdfast/protocol/signing/sign-json'
import { parseVerifyKey } from '@holdfast/protocol/signing/verify-key'
import { fitsUtf8 } from '@holdfast/protocol/text/utf8'
import type { Requester } from '../accounts/requester.ts'
import { E2E_LIMITS } from './limits.ts'

/**
 * The keys as they are stored: canonical JSON, without what servers add.
 * @throws {MatrixError} M_INVALID_PARAM, M_BAD_JSON, M_TOO_LARGE or M_INVALID_SIGNATURE
 */
export function checkDeviceKeys(
  { userId, deviceId }: Pick<Requester, 'userId' | 'deviceId'>,
  uploaded: JsonObject,
): string {
  if (uploaded['user_id'] !== userId || uploaded['device_id'] !== deviceId) {
    throw matrixError('M_INVALID_PARAM', '`device_keys` are of another user or device than the access token.')
  }
  const kept = without(uploaded, 'unsigned')
  const text = canonicalText(kept, '`device_keys`', E2E_LIMITS.deviceKeysBytesMax)
  const keys = kept['keys'] as JsonObject
  for (const keyId of Object.keys(keys)) requireKeyId(keyId)
  const tooMany =
    Object.keys(keys).length > E2E_LIMITS.deviceKeysMax ||
    (kept['algorithms'] as readonly JsonValue[]).length > E2E_LIMITS.deviceAlgorithmsMax
  if (tooMany) throw matrixError('M_INVALID_PARAM', '`device_keys` name too many keys or algorithms.')
  requireOwnSignature(kept, { userId, keyId: `ed25519:${deviceId}` })
  return text
}

/**
 * A signature by the device's own key has to hold. Keys without one are kept: no client will use them, and there are
 * clients that sign later.
 */
function requireOwnSignature(keys: JsonObject, { userId, keyId }: { userId: string; keyId: string }): void {
  const own = (keys['keys'] as JsonObject)[keyId]
  const signatures = (keys['signatures'] as JsonObject)[userId]
  if (!isObject(signatures) || signatures[keyId] === undefined) return
  const key = typeof own === 'string' ? parseVerifyKey(own) : undefined
  // What is no key cannot have signed, and nobody takes it for one.
  if (key === undefined) return
  const verdict = verifySignedJson(keys, { signer: userId, keyOf: (id) => (id === keyId ? key : undefined) })
  if (verdict.valid) return
  throw matrixError('M_INVALID_SIGNATURE', `The signature of \`device_keys\` by ${keyId} does not hold.`)
}

function requireKeyId(keyId: string): void {
  if (/^[^:]+:./s.test(keyId) && keyId.length <= E2E_LIMITS.keyNameCharactersMax) return
  throw matrixError('M_INVALID_PARAM', 'A key id is made of an algorithm, a colon, and the id of the device.')
}

/** @throws {MatrixError} M_BAD_JSON for what nobody could have signed, M_TOO_LARGE */
export function canonicalText(value: JsonValue, what: string, bytesMax: number): string {
  if (!isCanonicalValue(value)) throw matrixError('M_BAD_JSON', `${what} holds a number that cannot be signed.`)
  const text = canonicalJson(value)
  if (fitsUtf8(text, bytesMax)) return text
  throw matrixError('M_TOO_LARGE', `${what} has more than ${bytesMax} bytes.`)
}

export function without(object: JsonObject, dropped: string): JsonObject {
  const copy = emptyObject()
  for (const [name, value] of Object.entries(object)) if (name !== dropped) copy[name] = value
  return copy
}
